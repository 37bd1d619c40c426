import {randomBytes} from 'node:crypto'
import {readFileSync, renameSync, writeFileSync} from 'node:fs'
import type {Logger} from '../../kernel/log.ts'

const pattern = /^[\w-]{43}$/

/** A random secret in a file, 0600, made when it is missing. When the file cannot be written, the secret is valid for this process only. */
export function keepSecret(path: string, logger: Logger): string {
  const kept = read(path)
  if (kept !== undefined) return kept
  const secret = randomBytes(32).toString('base64url')
  try {
    writeFileSync(`${path}.new`, `${secret}\n`, {mode: 0o600})
    renameSync(`${path}.new`, path)
  } catch (error) {
    logger.warn({err: error, path}, 'cannot keep this secret: it is another after a restart')
  }
  return secret
}

function read(path: string): string | undefined {
  try {
    const text = readFileSync(path, 'utf8').trim()
    return pattern.test(text) ? text : undefined
  } catch {
    // There is none at first.
    return undefined
  }
}
