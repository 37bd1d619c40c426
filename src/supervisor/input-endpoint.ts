/** `tally.io.….<process>.stdin`: pieces of input, raw, each answered when the kernel has taken it. That is the back-pressure. */
import {initId} from '../../machines/commands.ts'
import type {ContainerAddress} from '../../machines/ids.ts'
import {TallyError} from '../kernel/errors.ts'
import type {Endpoint} from '../messaging/services.ts'
import type {Subjects} from '../messaging/subjects.ts'
import {createInputSessions, type InputSessions} from './input-sessions.ts'
import type {Loop} from './loop.ts'
import type {Outputs} from './outputs.ts'

/** Chosen by who sends, for as long as he does. */
export const sessionHeader = 'Tally-Session'
/** Bytes that he has sent before this piece. */
export const offsetHeader = 'Tally-Offset'
/** So much of it is taken at once; more is refused, and sent in pieces. */
export const largestPieceBytes = 256 * 1024

export interface InputEndpointDependencies {
  readonly subjects: Subjects
  readonly address: ContainerAddress
  readonly outputs: Outputs
  readonly loop: Pick<Loop, 'ledger'>
}

export function createInputEndpoint({subjects, address, outputs, loop}: InputEndpointDependencies): Endpoint {
  const sessions = new Map<string, InputSessions>()
  return {
    name: 'input',
    subject: subjects.inputs(address),
    handle: async (bytes, _origin, message) => {
      const name = subjects.parseInput(message.subject)?.process ?? initId
      const exec = name === initId ? undefined : name
      if (exec !== undefined && !loop.ledger.processes.has(exec))
        throw new TallyError('EXEC_NOT_FOUND', `no process ${exec} was added to this container`, {details: {exec}})
      if (bytes.length > largestPieceBytes)
        throw new TallyError('REQUEST_TOO_LARGE', `expected at most ${largestPieceBytes} bytes of input at once, got ${bytes.length}`)
      const next = await toSessions(name, exec).take({
        session: message.header(sessionHeader) ?? '',
        offset: toOffset(message.header(offsetHeader)),
        bytes,
      })
      return {next}
    },
  }

  function toSessions(name: string, exec: string | undefined): InputSessions {
    const known = sessions.get(name) ?? createInputSessions((bytes) => outputs.of(exec).write(bytes))
    sessions.set(name, known)
    return known
  }
}

function toOffset(text: string | undefined): number {
  const offset = Number(text)
  if (text === undefined || !Number.isSafeInteger(offset) || offset < 0)
    throw new TallyError('INVALID_REQUEST', `expected a header ${offsetHeader} with a number of bytes, got ${JSON.stringify(text ?? null)}`)
  return offset
}
