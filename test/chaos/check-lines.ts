/** Checks the numbered lines of a program for lost and duplicate ones. */

export interface LineFaults {
  readonly lost: number
  /** Duplicate or out of order. */
  readonly doubled: number
}

/** @param text expected: `line 1` to `line <count>`, each with a newline */
export function checkLines(text: string, count: number): LineFaults {
  const wanted = Array.from({length: count}, (_, index) => `line ${index + 1}`)
  const lines = text.split('\n').slice(0, -1)
  const found = new Set(lines)
  const lost = wanted.filter((line) => !found.has(line)).length
  return {lost, doubled: text === toText(wanted) ? 0 : Math.max(lines.length - (count - lost), lost > 0 ? 0 : 1)}
}

function toText(lines: readonly string[]): string {
  return lines.map((line) => `${line}\n`).join('')
}
