/** Space on the disk that is reserved for the time when it is full: a file, which a supervisor removes when it deletes a container then. */
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
  /** Aborted when the coordinator ends. */
  readonly signal: AbortSignal
}

/** Enough for the last events of some hundred containers, and for nats-server to run with JetStream again. */
const reserveBytes = 1024 * 1024
/** With less, others need the space more. */
const leastFreeBytes = 8 * reserveBytes
const lookMs = 5_000

/** Makes the file, and makes it again when it was used and there is room. */
export async function keepReserve({dir, clock, logger, signal}: ReserveOptions): Promise<void> {
  const file = reserveFile(dir)
  for (; !signal.aborted; await clock.sleep(lookMs)) {
    if (existsSync(file) || readFreeBytes(dir) < leastFreeBytes) continue
    try {
      // Random: a file system that compresses, or leaves holes, would reserve nothing for zeroes.
      await writeFile(`${file}.new`, randomBytes(reserveBytes), {mode: 0o600})
      await rename(`${file}.new`, file)
    } catch (error) {
      await rm(`${file}.new`, {force: true})
      logger.warn({err: error}, 'cannot reserve space on the disk')
    }
  }
}
