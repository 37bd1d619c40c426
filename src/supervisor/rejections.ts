/** Decisions against a wish, as errors of the table. */
import type {CommandType} from '../../machines/commands.ts'
import type {Decision} from '../../machines/decide.ts'
import {TallyError} from '../kernel/errors.ts'

export function toRejection(
  command: CommandType,
  decision: Extract<Decision, {readonly type: 'reject-ended' | 'reject-exec'}>,
): TallyError {
  if (decision.type === 'reject-ended')
    return new TallyError('PROCESS_ENDED', `cannot ${command}: init has already ended`, {details: {finished: true, state: decision.state}})
  const {exec, reason} = decision
  switch (reason) {
    case 'unknown':
      return new TallyError('EXEC_NOT_FOUND', `no process ${exec} was added to this container`, {details: {exec}})
    case 'exists':
      return new TallyError('EXEC_EXISTS', `the exec id ${exec} is in use in this container`, {details: {exec}})
    case 'ended':
      return new TallyError('PROCESS_ENDED', `the process ${exec} has already ended`, {details: {exec, finished: true}})
    case 'illegal': {
      const {state} = decision
      return new TallyError('ILLEGAL_COMMAND', `cannot ${command} the process ${exec}, which is ${state}`, {
        details: {command, exec, state},
      })
    }
  }
}

export function illegal(command: CommandType, state: string, legal: readonly CommandType[]): TallyError {
  const allowed = legal.length > 0 ? `legal now: ${legal.join(', ')}` : 'nothing is legal now'
  return new TallyError('ILLEGAL_COMMAND', `cannot ${command} a container that is ${state}; ${allowed}`, {details: {command, state, legal}})
}
