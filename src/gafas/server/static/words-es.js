/** Español. */

const count = (n, one, many) => `${n} ${n === 1 ? one : many}`;

export const words = {
  pageTitle: "gafas: ¿quién lleva gafas de sol?",
  skip: "Saltar al contenido",
  language: "Idioma",
  title: "¿Quién lleva gafas de sol?",
  lead: "Elige fotografías. Cada cara recibe un recuadro, una palabra y la probabilidad de que la palabra sea cierta.",
  choose: "Elegir fotografías",
  cameraStart: "Usar la cámara",
  dropHint: "O suelta imágenes en cualquier lugar de esta página, o pégalas.",
  privacy: "Las imágenes van al servidor que te envió esta página, se analizan en su memoria y no se guardan.",
  dropNow: "Suelta para añadir las imágenes",

  keyLabel: "Este servidor pide una clave",
  keySend: "Usar esta clave",
  keyHint: "Solo se guarda en la memoria de esta página y se olvida cuando la cierras.",
  keyWrong: "El servidor no ha aceptado la clave. Revísala y vuelve a intentarlo.",

  cameraTitle: "Cámara",
  cameraKeep: "Guardar esta imagen",
  cameraTurn: "Otra cámara",
  cameraStop: "Parar",
  cameraAsking: "El navegador pregunta si esta página puede usar la cámara.",
  cameraLooking: "Mirando …",
  cameraNobody: "Ninguna cara en la imagen.",
  cameraKept: (name) => `${name} está entre los resultados.`,
  cameraStopped: "La cámara está apagada.",
  cameraHidden: "La cámara se ha apagado porque la página estaba oculta.",
  cameraRefused: "No se puede usar la cámara: el permiso fue denegado. Permítela en los ajustes del navegador para esta página y vuelve a intentarlo.",
  cameraMissing: "No se ha encontrado ninguna cámara. Conecta una o elige fotografías.",
  cameraBusy: "No se puede abrir la cámara. Quizá la esté usando otro programa.",
  cameraInsecure: "Los navegadores solo permiten la cámara en https y en localhost. Abre la página allí o elige fotografías.",
  cameraLost: "La cámara ha dejado de enviar imágenes.",

  controls: "Ajustes",
  threshold: "Umbral para gafas de sol",
  thresholdHint: (value) => `Gafas de sol a partir de esta probabilidad. El del modelo es ${value}.`,
  thresholdReset: "Volver a él",
  evidence: "Mapa de indicios",
  opacity: "Intensidad del mapa de indicios",
  evidenceAgainst: "en contra",
  evidenceFor: "a favor de gafas de sol",
  evidenceHint: "Qué partes de la cara hablan a favor de gafas de sol y cuáles en contra.",

  results: "Resultados",
  table: "Tabla",
  saveCsv: "Descargar CSV",
  saveJson: "Descargar JSON",
  clear: "Quitar todo",
  remove: (name) => `Quitar ${name}`,
  again: "Reintentar",
  waiting: "En espera …",
  judging: "Analizando …",
  progress: (done, all) => `${done} de ${count(all, "imagen", "imágenes")} analizadas`,
  pause: (seconds, status) =>
    status === 429
      ? `Se ha alcanzado el límite de peticiones del servidor. Continúa en ${count(seconds, "segundo", "segundos")}.`
      : `El servidor está ocupado. Nuevo intento en ${count(seconds, "segundo", "segundos")}.`,

  worn: { sunglasses: "Gafas de sol", eyeglasses: "Gafas transparentes", none: "Sin gafas de sol" },
  attributes: { sunglasses: "Gafas de sol", eyeglasses: "Gafas transparentes" },
  face: (n) => `Cara ${n}`,
  wholePicture: "Imagen entera",
  wholeNote: "No se ha encontrado ninguna cara. Se ha analizado la imagen entera, y eso dice menos.",
  previewNote: "El navegador no puede mostrar este tipo de imagen; el servidor sí puede leerla.",
  summary: ({ regions, sunglasses, eyeglasses, whole, failed }, looksForFaces) =>
    [
      looksForFaces ? count(regions, "cara", "caras") : count(regions, "imagen", "imágenes"),
      `${sunglasses} con gafas de sol`,
      eyeglasses === null ? "" : `${eyeglasses} con gafas transparentes`,
      whole ? `${count(whole, "imagen", "imágenes")} sin cara` : "",
      failed ? `${failed} sin analizar` : "",
    ]
      .filter(Boolean)
      .join(" · "),
  judged: (n, summary) => `${count(n, "imagen analizada", "imágenes analizadas")}. ${summary}.`,
  relabelled: (threshold, sunglasses, all) => `Umbral ${threshold}: ${sunglasses} de ${all} con gafas de sol.`,
  cleared: "Se han quitado todas las imágenes.",
  saved: (name) => `Se ha descargado ${name}.`,
  columns: {
    picture: "Imagen",
    region: "Región",
    label: "Lleva",
    sunglasses: "Gafas de sol",
    eyeglasses: "Gafas transparentes",
    confidence: "Certeza de la cara",
    box: "Recuadro (x0, y0, x1, y1)",
  },

  facts: (name, version, files, size) =>
    `Modelo ${name}, gafas ${version}. Imágenes de hasta ${size} MB; ${files} como máximo en cada petición, el resto va por turnos.`,
  caution: "Hecho para aprender y para comparar. No lo uses para decidir nada sobre una persona.",

  pasted: "pegada",
  webcam: "camara",
  nothingPasted: "El portapapeles no contiene ninguna imagen.",
  nothingDropped: "No había ninguna imagen entre lo que has soltado. Las imágenes de una carpeta se eligen una por una.",
  tooMany: (most) => `La página admite ${most} imágenes como máximo; las demás se han dejado fuera. Para más, usa gafas predict.`,

  otherError: (message) => `El servidor dice: ${message}`,
  errors: {
    unreachable: "No se puede llegar al servidor. Comprueba que gafas serve esté en marcha y vuelve a intentarlo.",
    unexpected: "El servidor ha respondido algo que esta página no entiende.",
    overloaded: "El servidor está demasiado ocupado. Vuelve a intentarlo dentro de un rato.",
    rate_limited: "Se ha alcanzado el límite de peticiones del servidor. Vuelve a intentarlo dentro de un rato.",
    not_an_image: "No es una imagen, o es de un tipo que el servidor no conoce.",
    broken_image: "La imagen está dañada y no se puede leer.",
    too_large: "El archivo es demasiado grande para el servidor. Hazlo más pequeño y vuelve a intentarlo.",
    too_many_pixels: "La imagen tiene demasiados píxeles para el servidor. Hazla más pequeña y vuelve a intentarlo.",
    file_too_large: (size, most) =>
      `El archivo es demasiado grande: ${size} MB, y el servidor admite ${most} MB. Hazlo más pequeño y vuelve a intentarlo.`,
    file_unreadable: "No se puede leer el archivo. Puede ser una carpeta, o lo han movido.",
    file_empty: "El archivo está vacío.",
  },
};
