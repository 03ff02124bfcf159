// Stands where a method is still to come; gone when the last one has.
export function notYet(..._given: unknown[]): never {
  throw new Error('this is still to come');
}
