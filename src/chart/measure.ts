/**
 * Estimates the width of text without a font, so that layouts are equal in a browser, in a file and in a test. The estimate is an upper
 * bound: it assumes DejaVu, the widest of the fonts that a picture may use.
 */
export type TextKind = 'title' | 'name' | 'note' | 'event' | 'guard'

/** Sizes in pixels; `mono` is a font whose characters have one width. */
export const textStyles = {
  title: {size: 17, lineHeight: 24, mono: false, bold: true},
  name: {size: 13, lineHeight: 18, mono: false, bold: true},
  note: {size: 10.5, lineHeight: 14, mono: false, bold: false},
  event: {size: 10.5, lineHeight: 14, mono: true, bold: false},
  guard: {size: 9.5, lineHeight: 12, mono: true, bold: false},
} as const satisfies Readonly<
  Record<TextKind, {readonly size: number; readonly lineHeight: number; readonly mono: boolean; readonly bold: boolean}>
>

const monoWidth = 0.605
const boldness = 1.1

export function measureText(text: string, kind: TextKind): number {
  const {size, mono, bold} = textStyles[kind]
  if (mono) return Math.ceil([...text].length * monoWidth * size)
  const widths = [...text].map(widthOf).reduce((sum, width) => sum + width, 0)
  return Math.ceil(widths * size * (bold ? boldness : 1))
}

/** Breaks text into lines of at most `maxWidth`, except for single words that are wider. */
export function wrapText(text: string, kind: TextKind, maxWidth: number): readonly string[] {
  const lines: string[] = []
  for (const word of text.split(/\s+/).filter((part) => part !== '')) {
    const line = lines.at(-1)
    const longer = `${line} ${word}`
    if (line !== undefined && measureText(longer, kind) <= maxWidth) lines[lines.length - 1] = longer
    else lines.push(word)
  }
  return lines
}

/** The width of a character in DejaVu Sans, in ems, by groups of characters. */
function widthOf(character: string): number {
  if (/[ijl.,:;|'!]/.test(character)) return 0.34
  if (/[ frt()[\]/-]/.test(character)) return 0.41
  if (/[mwMW%@…]/.test(character)) return 0.98
  if (/[A-Z]/.test(character)) return 0.72
  return 0.64
}
