/** Room that is kept for the time when there is none: a file that whoever deletes a container takes away on a full disk. */
import {randomBytes} from 'node:crypto'
import {existsSync} from 'node:fs'
import {rename, rm, writeFile} from 'node:fs/promises'
import type {Clock} from '../../kernel/clock.ts'
import type {Logger} from '../../kernel/log.ts'
import {readFreeBytes} from '../../kernel/room.ts'
import {reserveFile} from '../../layout/container-layout.ts'

export interface ReserveOptions {
  readonly dir: string
  readonly clock: Pick<Clock, 'sleep'>
  readonly logger: Logger
  readonly isClosing: () => boolean
}

/** Enough for the last events of some hundred containers, and for nats-server to be run with JetStream again. */
const reserveBytes = 1024 * 1024
/** Nobody is to be short of room for it. */
const leastFreeBytes = 8 * reserveBytes
const lookMs = 5_000

/** Puts it back, when there is room. */
export async function keepReserve({dir, clock, logger, isClosing}: ReserveOptions): Promise<void> {
  const file = reserveFile(dir)
  for (; !isClosing(); await clock.sleep(lookMs)) {
    if (existsSync(file) || readFreeBytes(dir) < leastFreeBytes) continue
    try {
      // A file system that compresses, or leaves holes, would keep nothing for zeroes.
      await writeFile(`${file}.new`, randomBytes(reserveBytes), {mode: 0o600})
      await rename(`${file}.new`, file)
    } catch (error) {
      await rm(`${file}.new`, {force: true})
      logger.warn({err: error}, 'cannot keep a reserve')
    }
  }
}
