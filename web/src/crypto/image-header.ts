// What an image says of itself at its beginning: its kind and its size, read before any decoder touches it. A few bytes can ask
// for gigabytes of pixels, and a name or a type that comes with a file is only somebody's word.

export interface ImageHeader {
  type: 'image/png' | 'image/jpeg' | 'image/webp' | 'image/gif';
  width: number;
  height: number;
}

/** The kind and size of an image; none for anything else, for moving WebP, and for what is cut short. */
export function imageHeader(bytes: Uint8Array): ImageHeader | undefined {
  try {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const found = png(view) ?? gif(view) ?? webp(view) ?? jpeg(view);
    return found && found.width > 0 && found.height > 0 ? found : undefined;
  } catch {
    return undefined; // Beyond the end.
  }
}

function png(view: DataView): ImageHeader | undefined {
  const isPng = text(view, 1, 3) === 'PNG' && view.getUint8(0) === 0x89 && text(view, 12, 4) === 'IHDR';
  return isPng ? { type: 'image/png', width: view.getUint32(16), height: view.getUint32(20) } : undefined;
}

function gif(view: DataView): ImageHeader | undefined {
  if (!/^GIF8[79]a$/.test(text(view, 0, 6))) return undefined;
  return { type: 'image/gif', width: view.getUint16(6, true), height: view.getUint16(8, true) };
}

function webp(view: DataView): ImageHeader | undefined {
  if (text(view, 0, 4) !== 'RIFF' || text(view, 8, 4) !== 'WEBP') return undefined;
  const type = 'image/webp';
  switch (text(view, 12, 4)) {
    case 'VP8 ':
      // The key frame's start code, then 14 bits each.
      if (view.getUint8(23) !== 0x9d || view.getUint8(24) !== 0x01 || view.getUint8(25) !== 0x2a)
        return undefined;
      return { type, width: view.getUint16(26, true) & 0x3fff, height: view.getUint16(28, true) & 0x3fff };
    case 'VP8L': {
      if (view.getUint8(20) !== 0x2f) return undefined;
      const bits = view.getUint32(21, true);
      return { type, width: (bits & 0x3fff) + 1, height: ((bits >>> 14) & 0x3fff) + 1 };
    }
    case 'VP8X': {
      const moves = (view.getUint8(20) & 0b10) !== 0;
      return moves ? undefined : { type, width: uint24(view, 24) + 1, height: uint24(view, 27) + 1 };
    }
    default:
      return undefined;
  }
}

function jpeg(view: DataView): ImageHeader | undefined {
  if (view.getUint16(0) !== 0xffd8) return undefined;
  for (let at = 2; ;) {
    if (view.getUint8(at) !== 0xff) return undefined;
    const marker = view.getUint8(at + 1);
    if (marker === 0xff) {
      at++; // Padding.
    } else if (isFrame(marker)) {
      return { type: 'image/jpeg', width: view.getUint16(at + 7), height: view.getUint16(at + 5) };
    } else {
      // Before the frame only segments with a length may stand.
      if (marker < 0xc0 || (marker >= 0xd0 && marker <= 0xda)) return undefined;
      at += 2 + view.getUint16(at + 2);
    }
  }
}

/** SOF0 to SOF15, without the tables that stand between them. */
function isFrame(marker: number): boolean {
  return marker >= 0xc0 && marker <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(marker);
}

function text(view: DataView, at: number, length: number): string {
  return String.fromCharCode(...Array.from({ length }, (_, place) => view.getUint8(at + place)));
}

function uint24(view: DataView, at: number): number {
  return view.getUint16(at, true) | (view.getUint8(at + 2) << 16);
}
