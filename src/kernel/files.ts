import {rmdirSync} from 'node:fs'

/** Of a call of node:fs: nothing has that name. */
export function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT'
}

/** What somebody else has in it stays. */
export function removeIfEmpty(directory: string): void {
  try {
    rmdirSync(directory)
  } catch {}
}
