import {randomBytes} from 'node:crypto'
import {readFileSync, renameSync, writeFileSync} from 'node:fs'
import type {Logger} from '../../kernel/log.ts'

const pattern = /^[\w-]{43}$/

/** A random text that a file keeps, 0600; made when it is not there yet. Where nothing can be written it lasts as long as we do. */
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
    // The first time there is none.
    return undefined
  }
}
