// How much is stored, as people read it.

/** In megabytes, or in gigabytes from the first one on. */
export function size(bytes: number): string {
  const isLarge = bytes >= 1e9;
  return new Intl.NumberFormat(undefined, {
    style: 'unit',
    unit: isLarge ? 'gigabyte' : 'megabyte',
    maximumFractionDigits: 1,
  }).format(bytes / (isLarge ? 1e9 : 1e6));
}
