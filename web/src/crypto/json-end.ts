// Where one JSON value ends in a longer text, by its syntax alone and without recursion: what it says is for `json.ts`.

const STRING = /"(?:[ !#-[\]-\uffff]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"/y;
const SCALAR = /-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?|true|false|null/y;
const SPACE = /[ \t\n\r]*/y;

/** The place after the value with which the text begins; `cut` if the text ends before it does, `broken` if it is none. */
export function endOfValue(text: string): number | 'cut' | 'broken' {
  const open: string[] = [];
  let at = 0;
  const takes = (pattern: RegExp): boolean => {
    pattern.lastIndex = at;
    const found = pattern.test(text);
    if (found) at = pattern.lastIndex;
    return found;
  };
  const takesMark = (mark: string): boolean => {
    takes(SPACE);
    const isThere = text.startsWith(mark, at);
    if (isThere) at += mark.length;
    return isThere;
  };
  const takesName = () => (takes(SPACE), takes(STRING)) && takesMark(':');
  const stopped = () => (isCut(text, at) ? 'cut' : 'broken');
  for (;;) {
    if (takesMark('{')) {
      if (!takesMark('}')) {
        if (!takesName()) return stopped();
        open.push('}');
        continue;
      }
    } else if (takesMark('[')) {
      if (!takesMark(']')) {
        open.push(']');
        continue;
      }
    } else if (!takes(STRING) && !takes(SCALAR)) return stopped();
    // A value has ended: so may what it stands in.
    for (;;) {
      const end = open.at(-1);
      if (end === undefined) return at;
      if (takesMark(',')) {
        if (end === '}' && !takesName()) return stopped();
        break;
      }
      if (!takesMark(end)) return stopped();
      open.pop();
    }
  }
}

/** Whether nothing is wrong up to the end: what is left is the beginning of a text, a word or a number. */
function isCut(text: string, at: number): boolean {
  const rest = text.slice(at);
  const isWord = ['true', 'false', 'null'].some((word) => word.startsWith(rest));
  return (
    isWord ||
    rest === '-' ||
    /^"(?:[ !#-[\]-\uffff]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*(?:\\u?[0-9a-fA-F]{0,3})?$/.test(rest)
  );
}
