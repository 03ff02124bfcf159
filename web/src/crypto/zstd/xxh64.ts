// XXH64 with seed 0: the checksum that a Zstandard frame may end with.
const MASK = 0xffff_ffff_ffff_ffffn;
const P1 = 0x9e3779b185ebca87n;
const P2 = 0xc2b2ae3d27d4eb4fn;
const P3 = 0x165667b19e3779f9n;
const P4 = 0x85ebca77c2b2ae63n;
const P5 = 0x27d4eb2f165667c5n;

export function xxh64(bytes: Uint8Array): bigint {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const stripes = bytes.length - (bytes.length % 32);
  const lanes = [(P1 + P2) & MASK, P2, 0n, -P1 & MASK];
  for (let place = 0; place < stripes; place += 8) {
    const lane = (place >> 3) & 3;
    lanes[lane] = round(lanes[lane] ?? 0n, view.getBigUint64(place, true));
  }
  let hash = stripes > 0 ? merged(lanes) : P5;
  hash = (hash + BigInt(bytes.length)) & MASK;
  let place = stripes;
  for (; place + 8 <= bytes.length; place += 8) {
    hash = (rotate(hash ^ round(0n, view.getBigUint64(place, true)), 27n) * P1 + P4) & MASK;
  }
  for (; place + 4 <= bytes.length; place += 4) {
    hash = (rotate(hash ^ ((BigInt(view.getUint32(place, true)) * P1) & MASK), 23n) * P2 + P3) & MASK;
  }
  for (; place < bytes.length; place++) {
    hash = (rotate(hash ^ ((BigInt(view.getUint8(place)) * P5) & MASK), 11n) * P1) & MASK;
  }
  hash = ((hash ^ (hash >> 33n)) * P2) & MASK;
  hash = ((hash ^ (hash >> 29n)) * P3) & MASK;
  return hash ^ (hash >> 32n);
}

function merged(lanes: bigint[]): bigint {
  const sum = lanes.reduce((sum, lane, place) => sum + rotate(lane, [1n, 7n, 12n, 18n][place] ?? 0n), 0n);
  return lanes.reduce((hash, lane) => ((hash ^ round(0n, lane)) * P1 + P4) & MASK, sum & MASK);
}

function round(lane: bigint, input: bigint): bigint {
  return (rotate((lane + input * P2) & MASK, 31n) * P1) & MASK;
}

function rotate(value: bigint, by: bigint): bigint {
  return ((value << by) | (value >> (64n - by))) & MASK;
}
