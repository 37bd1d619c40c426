/** Reading the documents as data: sections, tables and fenced code. Supports only the markdown that docs/ uses. */
import {readFileSync} from 'node:fs'

export const root = new URL('../../../', import.meta.url)

export function readProjectFile(path: string): string {
  return readFileSync(new URL(path, root), 'utf8')
}

/** The text below each heading of a level, up to the next heading of that level or above. Backquotes in headings are dropped. */
export function readSections(text: string, level: number): ReadonlyMap<string, string> {
  const sections = new Map<string, string>()
  let title: string | undefined
  let fenced = false
  for (const line of text.split('\n')) {
    if (line.startsWith('```')) fenced = !fenced
    const [, marks = '', heading = ''] = (!fenced && /^(#+) (.+)$/.exec(line)) || []
    if (marks.length > 0 && marks.length <= level) title = marks.length === level ? unquote(heading) : undefined
    else if (title !== undefined) sections.set(title, `${sections.get(title) ?? ''}${line}\n`)
  }
  return sections
}

/** @throws when there is no such section */
export function readSection(text: string, level: number, title: string): string {
  const section = readSections(text, level).get(title)
  if (section === undefined) throw new Error(`expected a section ${'#'.repeat(level)} ${title}`)
  return section
}

export type Row = Readonly<Record<string, string>>

interface Table {
  readonly columns: readonly string[]
  readonly rows: readonly Row[]
}

export function readTables(text: string): readonly Table[] {
  return [...text.matchAll(/(?:^\|.*\|\n)+/gm)].map(([block]) => {
    const [columns = [], , ...lines] = block.trimEnd().split('\n').map(readCells)
    return {columns, rows: lines.map((cells) => Object.fromEntries(columns.map((column, index) => [column, cells[index] ?? ''])))}
  })
}

/** The rows of all tables with exactly these columns; none when there is no such table. */
export function readRows(text: string, ...columns: readonly string[]): readonly Row[] {
  return readTables(text)
    .filter((table) => table.columns.join('|') === columns.join('|'))
    .flatMap(({rows}) => rows)
}

/** The contents of fenced code of a language. */
export function readFences(text: string, language: string): readonly string[] {
  return [...text.matchAll(/^```(\w*)\n([\s\S]*?)^```$/gm)].flatMap(([, found, code = '']) => (found === language ? [code] : []))
}

/** The text between backquotes. */
export function readCode(text: string): readonly string[] {
  return [...text.matchAll(/`([^`]+)`/g)].map(([, code = '']) => code)
}

export function unquote(text: string): string {
  return text.replaceAll('`', '')
}

function readCells(line: string): readonly string[] {
  return line
    .slice(1, -1)
    .split('|')
    .map((cell) => cell.trim())
}
