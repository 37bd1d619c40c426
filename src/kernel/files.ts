import {type BigIntStats, mkdirSync, rmdirSync} from 'node:fs'
import {readFile, rename, rm, writeFile} from 'node:fs/promises'

/** An error of a file system call: there is no file of that name. */
export function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT'
}

/** Removes a directory, unless there is something in it. */
export function removeIfEmpty(directory: string): void {
  try {
    rmdirSync(directory)
  } catch {}
}

/** An inode number is used again as soon as it is free: the time of birth tells the files apart, where the file system has it. */
export function toFileIdentity({ino, birthtimeNs}: Pick<BigIntStats, 'ino' | 'birthtimeNs'>): string {
  return `${ino} ${birthtimeNs}`
}

const mostAttempts = 100

/** Makes a directory that others remove when it is empty, and an entry in it. Tries again when it was removed in between. */
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
 * Replaces a file (0600) in one step, so that nobody reads half of it, and a full disk leaves the former file in place. A file that has
 * the text already is left as it is.
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
