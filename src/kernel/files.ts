import {type BigIntStats, mkdirSync, rmdirSync} from 'node:fs'
import {readFile, rename, rm, writeFile} from 'node:fs/promises'

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

/** An inode is given to another file as soon as it is free: its birth tells them apart, where the file system has that. */
export function toFileIdentity({ino, birthtimeNs}: Pick<BigIntStats, 'ino' | 'birthtimeNs'>): string {
  return `${ino} ${birthtimeNs}`
}

const mostAttempts = 100

/** Makes an entry of a directory that others remove when it is empty, and the directory: again, when it went in between. */
export function makeWithin<T>(directory: string, make: () => T): T {
  for (let attempt = 1; ; attempt += 1) {
    try {
      mkdirSync(directory, {recursive: true, mode: 0o700})
      return make()
    } catch (error) {
      if (!isMissing(error) || attempt === mostAttempts) throw error
    }
  }
}

/**
 * Writes a file (0600) at once, so that nobody reads half of it, and a full disk does not take away what was there. One that has the text
 * already is left alone.
 */
export async function replaceFile(path: string, text: string): Promise<void> {
  if ((await readFile(path, 'utf8').catch(() => undefined)) === text) return
  const next = `${path}.new`
  try {
    await writeFile(next, text, {mode: 0o600})
    await rename(next, path)
  } catch (error) {
    await rm(next, {force: true})
    throw error
  }
}
