/** Making elements. */

/** An element with properties and children; strings become text, so nothing of a file's name is ever markup. */
export function create(tag, properties = {}, children = []) {
  const element = Object.assign(document.createElement(tag), properties);
  element.append(...children);
  return element;
}

/** The element with this id. */
export const byId = (id) => document.getElementById(id);
