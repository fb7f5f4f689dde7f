"""What may happen to a photograph before it is judged, one thing at a time, always of the same strength.

Each corruption takes an image and a generator and returns an image of the same size. They are for judging a model
under conditions that it may not have been trained for, never for training it.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from math import ceil, hypot

import numpy as np
from PIL import Image, ImageFilter

from gafas.imaging import Rgb

Corruption = Callable[[Rgb, np.random.Generator], Rgb]

DARK, BRIGHT = 0.4, 1.8
BLUR_SIGMA = 2.0
JPEG_QUALITY = 20
ANGLE = 20.0
NOISE_SIGMA = 15.0


def scale_brightness(image: Rgb, factor: float) -> Rgb:
    """Multiply every sample; what exceeds 255 is clipped, as an overexposed sensor does."""
    return (image.astype(np.float32) * factor).round().clip(0, 255).astype(np.uint8)


def blur(image: Rgb, sigma: float) -> Rgb:
    """Blur with a Gaussian of `sigma` pixels (Pillow's: three box filters)."""
    return np.asarray(Image.fromarray(image).filter(ImageFilter.GaussianBlur(sigma)))


def compress(image: Rgb, quality: int) -> Rgb:
    """Return what is left of an image after JPEG of that quality."""
    buffer = io.BytesIO()
    Image.fromarray(image).save(buffer, format="JPEG", quality=quality)
    return np.asarray(Image.open(buffer).convert("RGB"))


def rotate(image: Rgb, degrees: float) -> Rgb:
    """Turn an image counter-clockwise around its middle, bilinear; the corners repeat the border.

    Black corners would be dark shapes that the photograph never had.
    """
    height, width = image.shape[:2]
    reach = ceil(hypot(height, width) / 2)
    above, beside = max(0, reach - height // 2), max(0, reach - width // 2)
    wide = np.pad(image, ((above, above), (beside, beside), (0, 0)), mode="edge")
    turned = Image.fromarray(wide).rotate(degrees, resample=Image.Resampling.BILINEAR)
    return np.asarray(turned)[above : above + height, beside : beside + width]


def add_noise(image: Rgb, sigma: float, rng: np.random.Generator) -> Rgb:
    """Add Gaussian noise of `sigma` grey levels to each sample by itself."""
    noise = rng.normal(0.0, sigma, image.shape)
    return (image + noise).round().clip(0, 255).astype(np.uint8)


CORRUPTIONS: dict[str, Corruption] = {
    f"brightness ×{DARK:g}": lambda image, _: scale_brightness(image, DARK),
    f"brightness ×{BRIGHT:g}": lambda image, _: scale_brightness(image, BRIGHT),
    f"Gaussian blur, sigma {BLUR_SIGMA:g} px": lambda image, _: blur(image, BLUR_SIGMA),
    f"JPEG quality {JPEG_QUALITY}": lambda image, _: compress(image, JPEG_QUALITY),
    f"rotation +{ANGLE:g}°": lambda image, _: rotate(image, ANGLE),
    f"rotation -{ANGLE:g}°": lambda image, _: rotate(image, -ANGLE),
    f"Gaussian noise, sigma {NOISE_SIGMA:g}": lambda image, rng: add_noise(image, NOISE_SIGMA, rng),
}
"""Condition → what does it to an image, at the image's own size."""
