"""Draws the pictures of the shapes: ten classes, 32x32 pixels in colour.

No set of photographs of this size comes with a package under a clear licence, so the pictures are
made here. A shape of some size, tilt, place and texture lies on a background of another texture;
stray bars cover parts of it, the light falls off to a side, and noise is added.
"""

import numpy as np

NAMES = ("disc", "square", "triangle", "star", "cross", "ring", "crescent", "heart", "hexagon", "arrow")
SIZE = 32
TRAINING = 20000
HELD_BACK = 2000

# The centres of the pixels, from -1 to 1.
ACROSS, DOWN = np.meshgrid(*2 * [(np.arange(SIZE) + 0.5) * 2 / SIZE - 1])


def polygon(x, y, sides):
    """How far outside a regular polygon of radius 1 a point is; negative inside."""
    turn = np.pi / sides
    around = np.mod(np.arctan2(x, -y), 2 * turn) - turn
    return np.hypot(x, y) * np.cos(around) - np.cos(turn)


def star(x, y):
    """Five points: the radius of the edge swings between 1 and 0.42 along the angle."""
    along = np.abs(np.mod(np.arctan2(x, -y) * 5 / (2 * np.pi), 1) - 0.5) * 2
    return (np.hypot(x, y) - (0.42 + 0.58 * along)) * 0.7


def box(x, y, half_width, half_height):
    return np.maximum(np.abs(x) - half_width, np.abs(y) - half_height)


def heart(x, y):
    """Two discs side by side, and the lower half of a square on its tip."""
    lobes = np.hypot(np.abs(x) - 0.45, y + 0.35) - 0.5
    tip = np.maximum(np.abs(x) + y - 0.85, -0.35 - y) * 0.7
    return np.minimum(lobes, tip)


def arrow(x, y):
    """A head that points up and a shaft."""
    head = np.maximum((1.2 * np.abs(x) - y - 0.95) * 0.65, y + 0.1)
    return np.minimum(head, box(x, y - 0.4, 0.25, 0.55))


def outside(kind, x, y):
    """How far outside the shape of a class the points are; the shapes have a radius of about 1."""
    radius = np.hypot(x, y)
    match NAMES[kind]:
        case "disc":
            return radius - 0.85
        case "square":
            return box(x, y, 0.75, 0.75)
        case "triangle":
            return polygon(x, y, 3)
        case "star":
            return star(x, y)
        case "cross":
            return np.minimum(box(x, y, 0.9, 0.28), box(x, y, 0.28, 0.9))
        case "ring":
            return np.abs(radius - 0.7) - 0.2
        case "crescent":
            return np.maximum(radius - 0.9, 0.75 - np.hypot(x - 0.45, y))
        case "heart":
            return heart(x, y)
        case "hexagon":
            return polygon(x, y, 6)
        case "arrow":
            return arrow(x, y)


def texture(random):
    """A picture [3, 32, 32] in two colours: plain, a gradient, stripes, a chessboard or blots."""
    first, second = random.uniform(0, 1, (2, 3, 1, 1))
    angle, scale = random.uniform(0, 2 * np.pi), random.uniform(3, 9)
    u = ACROSS * np.cos(angle) + DOWN * np.sin(angle)
    v = DOWN * np.cos(angle) - ACROSS * np.sin(angle)
    mix = (
        np.zeros((SIZE, SIZE)),
        (u + 1.42) / 2.84,
        (np.sin(u * scale * 2) > 0) * 1.0,
        (np.sin(u * scale) * np.sin(v * scale) > 0) * 1.0,
        np.kron(random.uniform(0, 1, (8, 8)), np.ones((4, 4))),
    )[random.randint(5)]
    # The second colour stays nearer to the first than to that of the other texture, mostly.
    return first + 0.4 * mix * (second - first)


def coverage(random, kind):
    """How much of each pixel the shape covers, 0 to 1."""
    angle = random.uniform(-0.5, 0.5)
    size, stretch = random.uniform(0.5, 0.9), random.uniform(0.85, 1.15)
    x, y = ACROSS - random.uniform(-0.25, 0.25), DOWN - random.uniform(-0.25, 0.25)
    u = (x * np.cos(angle) + y * np.sin(angle)) / (size * stretch)
    v = (y * np.cos(angle) - x * np.sin(angle)) * stretch / size
    return np.clip(0.5 - outside(kind, u, v) * size * SIZE / 2, 0, 1)


def bar(random):
    """How much of each pixel a stray bar covers, 0 to 1."""
    angle, place = random.uniform(0, 2 * np.pi), random.uniform(-0.7, 0.7)
    u = ACROSS * np.cos(angle) + DOWN * np.sin(angle) - place
    return np.clip(0.5 - (np.abs(u) - random.uniform(0.03, 0.12)) * SIZE / 2, 0, 1)


def draw(random, kind):
    """One picture of a class, uint8 [3, 32, 32]."""
    shape = coverage(random, kind)
    picture, ground = texture(random), texture(random)
    # A shape in the colour of its background could not be told.
    while np.abs((picture - ground).mean((1, 2))).max() < 0.3:
        ground = texture(random)
    picture = picture * shape + ground * (1 - shape)
    for _ in range(random.randint(3)):
        cover = bar(random)
        picture = picture * (1 - cover) + random.uniform(0, 1, (3, 1, 1)) * cover
    slope = random.uniform(-0.3, 0.3, 2)
    picture = picture * (1 + slope[0] * ACROSS + slope[1] * DOWN)
    picture = picture + random.normal(0, random.uniform(0.01, 0.08), picture.shape)
    return np.rint(np.clip(picture, 0, 1) * 255).astype(np.uint8)


def pictures(seed, count):
    """Pictures uint8 [n, 3, 32, 32] and their labels uint8 [n], the classes in turn."""
    random = np.random.RandomState(seed)
    labels = (np.arange(count) % len(NAMES)).astype(np.uint8)
    return np.stack([draw(random, kind) for kind in labels]), labels


def split():
    """Training and held-back pictures: `(pictures, labels), (pictures, labels)`."""
    return pictures(1, TRAINING), pictures(2, HELD_BACK)


def as_float(images):
    """Pixels as the models take them: float32, 0 to 1."""
    return images.astype(np.float32) / np.float32(255)
