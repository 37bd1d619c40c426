/** `tally.io.….<process>.stdin`: raw pieces of input. The reply, once the kernel has taken a piece or a part of it, is the back-pressure. */
import {initId} from '../../../machines/commands/commands.ts'
import type {ContainerAddress} from '../../../machines/ledger/ids.ts'
import type {Clock} from '../../kernel/clock.ts'
import {TallyError} from '../../kernel/errors.ts'
import {offsetHeader, sessionHeader} from '../../messaging/headers.ts'
import type {Endpoint} from '../../messaging/services.ts'
import type {Subjects} from '../../messaging/subjects.ts'
import {decodeInputCookie} from './input-cookie.ts'
import {createInputSessions, type InputSessions} from './input-sessions.ts'
import type {Loop} from '../loop/loop.ts'
import type {Output} from '../output/output.ts'
import type {Outputs} from '../output/outputs.ts'

/** A larger piece is refused: the client sends smaller ones. */
export const largestPieceBytes = 256 * 1024

export interface InputEndpointDependencies {
  readonly subjects: Subjects
  readonly address: ContainerAddress
  readonly outputs: Outputs
  readonly loop: Pick<Loop, 'ledger'>
  readonly clock: Pick<Clock, 'sleep'>
}

export function createInputEndpoint({subjects, address, outputs, loop, clock}: InputEndpointDependencies): Endpoint {
  /** By what they feed: the id of a deleted process may be used again. */
  const sessions = new WeakMap<Output, InputSessions>()
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
      const next = await toSessions(exec).take({
        session: toSession(message.header(sessionHeader)),
        offset: toOffset(message.header(offsetHeader)),
        bytes,
      })
      return {next}
    },
  }

  function toSessions(exec: string | undefined): InputSessions {
    const output = outputs.of(exec)
    const known = sessions.get(output)
    if (known) return known
    const created = createInputSessions({
      write: (bytes, account) => output.write(bytes, account),
      former: decodeInputCookie(output.inputCookie),
      clock,
    })
    sessions.set(output, created)
    return created
  }
}

function toSession(text = ''): string {
  if (!/^[\x20-\x7e]{0,128}$/.test(text))
    throw new TallyError(
      'INVALID_REQUEST',
      `expected a header ${sessionHeader} of at most 128 printable characters, got ${JSON.stringify(text)}`,
    )
  return text
}

function toOffset(text: string | undefined): number {
  const offset = Number(text)
  if (text === undefined || !Number.isSafeInteger(offset) || offset < 0)
    throw new TallyError('INVALID_REQUEST', `expected a header ${offsetHeader} with a number of bytes, got ${JSON.stringify(text ?? null)}`)
  return offset
}
