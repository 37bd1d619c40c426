import type {ConsoleSize} from '../../machines/schemas/fields.ts'

/** The size of our own terminal; undefined when stdout is not a terminal, or has no size. */
export function toConsoleSize(): ConsoleSize | undefined {
  const {columns, rows} = process.stdout
  return columns > 0 && rows > 0 ? {columns, rows} : undefined
}
