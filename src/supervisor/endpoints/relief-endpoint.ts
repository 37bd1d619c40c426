/** Another supervisor is to take this one's place, maybe one of another version. */
import type {RelieveReply} from '../../../machines/views/upgrade.ts'
import type {Logger} from '../../kernel/log.ts'
import {version} from '../../kernel/version.ts'
import type {Endpoint} from '../../messaging/services.ts'
import type {ToEndpoint} from './command-endpoint.ts'

/** What this process runs, and how it was started: with that the container can go back to it. */
export interface RunningProgram {
  readonly program: string
  readonly command: readonly string[]
}

export interface ReliefDependencies {
  readonly on: ToEndpoint
  readonly running: RunningProgram
  /** The reply counts as something in flight: it goes out first. */
  readonly relieve: () => void
  readonly logger: Pick<Logger, 'info'>
}

export function createReliefEndpoint({on, running: {program, command}, relieve, logger}: ReliefDependencies): Endpoint {
  return on('relieve', async ({unless}): Promise<RelieveReply> => {
    const leaves = program !== unless
    if (leaves) {
      logger.info({version, program}, 'another supervisor is to take over')
      relieve()
    }
    return {leaves, version, program, command: [...command]}
  })
}
