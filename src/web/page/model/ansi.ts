/** Parses text with ANSI escapes into styled pieces (ECMA-48, SGR). All other escapes are removed. Pure. */

export interface AnsiStyle {
  /** A palette index from 0 to 15, or `#rrggbb`. */
  readonly colour?: number | string | undefined
  readonly background?: number | string | undefined
  readonly bold?: boolean | undefined
  readonly dim?: boolean | undefined
  readonly italic?: boolean | undefined
  readonly underline?: boolean | undefined
  readonly inverse?: boolean | undefined
}

export interface AnsiPiece {
  readonly text: string
  readonly style: AnsiStyle
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: this function parses control characters
const escapes = /\x1b(?:\[([0-?]*)[ -/]*([@-~])|\][^\x07\x1b]*(?:\x07|\x1b\\)?|[ -/]+[0-~]|[0-Z\\^-~])|[\x00-\x08\x0b-\x1f\x7f]/g

/** @param style the style at the end of the previous text */
export function parseAnsi(text: string, style: AnsiStyle = {}): {readonly pieces: readonly AnsiPiece[]; readonly style: AnsiStyle} {
  const pieces: AnsiPiece[] = []
  let [current, from] = [style, 0]
  for (const match of text.matchAll(escapes)) {
    add(text.slice(from, match.index))
    from = match.index + match[0].length
    if (match[2] === 'm') current = applySgr(current, (match[1] ?? '').split(/[;:]/).map(Number))
  }
  add(text.slice(from))
  return {pieces, style: current}

  function add(part: string): void {
    if (part !== '') pieces.push({text: part, style: current})
  }
}

function applySgr(style: AnsiStyle, codes: readonly number[]): AnsiStyle {
  let next = style
  for (let index = 0; index < codes.length; index++) {
    const code = codes[index] ?? 0
    if (code === 38 || code === 48) {
      const {colour, length} = readColour(codes.slice(index + 1))
      if (colour !== undefined) next = code === 38 ? {...next, colour} : {...next, background: colour}
      index += length
    } else next = applyCode(next, code)
  }
  return next
}

const patches: Readonly<Record<number, AnsiStyle>> = {
  1: {bold: true},
  2: {dim: true},
  3: {italic: true},
  4: {underline: true},
  7: {inverse: true},
  22: {bold: undefined, dim: undefined},
  23: {italic: undefined},
  24: {underline: undefined},
  27: {inverse: undefined},
  39: {colour: undefined},
  49: {background: undefined},
}

function applyCode(style: AnsiStyle, code: number): AnsiStyle {
  if (code === 0 || Number.isNaN(code)) return {}
  if (code >= 30 && code <= 37) return {...style, colour: code - 30}
  if (code >= 40 && code <= 47) return {...style, background: code - 40}
  if (code >= 90 && code <= 97) return {...style, colour: code - 82}
  if (code >= 100 && code <= 107) return {...style, background: code - 92}
  return {...style, ...patches[code]}
}

/** `5;N` is a colour of the 256-colour palette, `2;R;G;B` any colour. */
function readColour(codes: readonly number[]): {readonly colour: number | string | undefined; readonly length: number} {
  const [kind, first = 0, second = 0, third = 0] = codes
  if (kind === 2) return {colour: toHex(first, second, third), length: 4}
  if (kind !== 5) return {colour: undefined, length: 0}
  if (first < 16) return {colour: first, length: 2}
  if (first >= 232) return {colour: toHex(...grey(first)), length: 2}
  const cube = first - 16
  const level = (value: number) => (value === 0 ? 0 : 55 + 40 * value)
  return {colour: toHex(level(Math.floor(cube / 36)), level(Math.floor(cube / 6) % 6), level(cube % 6)), length: 2}
}

function grey(index: number): [number, number, number] {
  const value = 8 + 10 * (index - 232)
  return [value, value, value]
}

function toHex(red: number, green: number, blue: number): string {
  return `#${[red, green, blue].map((value) => Math.min(255, Math.max(0, value)).toString(16).padStart(2, '0')).join('')}`
}
