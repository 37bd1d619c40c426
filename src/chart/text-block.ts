/** Rectangles of characters, with functions to frame them and to place them side by side. */

/** The style of a piece of text on terminals with colours. */
export type Tone = 'plain' | 'dim' | 'bold' | 'active' | 'possible' | 'last'

export interface Span {
  readonly text: string
  readonly tone: Tone
}
export type Line = readonly Span[]
export type Block = readonly Line[]

export type Border = 'round' | 'heavy' | 'double' | 'dashed'

const borders: Readonly<Record<Border, readonly [string, string, string, string, string, string]>> = {
  round: ['╭', '─', '╮', '│', '╰', '╯'],
  heavy: ['┏', '━', '┓', '┃', '┗', '┛'],
  double: ['╔', '═', '╗', '║', '╚', '╝'],
  dashed: ['┌', '╌', '┐', '╎', '└', '┘'],
}

const codes: Readonly<Record<Tone, string>> = {plain: '', dim: '2', bold: '1', active: '1;32', possible: '32', last: '1;33'}

export function span(text: string, tone: Tone = 'plain'): Span {
  return {text, tone}
}

export function widthOf(block: Block): number {
  return Math.max(0, ...block.map(lengthOf))
}

/** A frame with the title in the upper border. @param width the minimum width */
export function toFrame(
  title: Line,
  block: Block,
  {border, tone, width = 0}: {readonly border: Border; readonly tone: Tone; readonly width?: number},
): Block {
  const [topLeft, across, topRight, down, bottomLeft, bottomRight] = borders[border]
  const inner = Math.max(width - 4, widthOf(block), lengthOf(title) + 1)
  const rest = inner - lengthOf(title) - 1
  const edge = (text: string) => span(text, tone)
  return [
    [edge(`${topLeft}${across} `), ...title, edge(` ${across.repeat(rest)}${topRight}`)],
    ...block.map((line) => [edge(`${down} `), ...pad(line, inner), edge(` ${down}`)]),
    [edge(`${bottomLeft}${across.repeat(inner + 2)}${bottomRight}`)],
  ]
}

/** Places blocks side by side while there is room, then below. */
export function flow(blocks: readonly Block[], width: number): Block {
  const rows: Block[][] = []
  for (const block of blocks) {
    const row = rows.at(-1)
    const used = row ? row.reduce((sum, one) => sum + widthOf(one) + 1, 0) : 0
    if (row && used + widthOf(block) <= width) row.push(block)
    else rows.push([block])
  }
  return rows.flatMap(beside)
}

export function toText(block: Block, {colour}: {readonly colour: boolean}): string {
  return block
    .map((line) =>
      line
        .map(({text, tone}) => (colour ? paint(text, codes[tone]) : text))
        .join('')
        .trimEnd(),
    )
    .join('\n')
}

/** Breaks items into lines of at most `width`, except for single items that are wider. */
export function wrapSpans(items: readonly Span[], width: number): Block {
  const lines: Span[][] = []
  for (const [index, {text, tone}] of items.entries()) {
    const item = span(index < items.length - 1 ? `${text}, ` : text, tone)
    const line = lines.at(-1)
    if (line && lengthOf(line) + text.length <= width) line.push(item)
    else lines.push([item])
  }
  return lines
}

export function lengthOf(line: Line): number {
  return line.reduce((sum, {text}) => sum + [...text].length, 0)
}

function beside(blocks: readonly Block[]): Block {
  const height = Math.max(...blocks.map((block) => block.length))
  return Array.from({length: height}, (_, row) =>
    blocks.flatMap((block, index) => {
      const line = pad(block[row] ?? [], widthOf(block))
      return index === 0 ? line : [span(' '), ...line]
    }),
  )
}

function pad(line: Line, width: number): Line {
  return [...line, span(' '.repeat(Math.max(0, width - lengthOf(line))))]
}

function paint(text: string, code: string): string {
  return code === '' || text.trim() === '' ? text : `\x1b[${code}m${text}\x1b[0m`
}
