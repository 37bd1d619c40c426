/** Why a command is not carried out, as errors of the table. */
import type {CommandType} from '../../../machines/commands/commands.ts'
import type {Decision, Lack} from '../../../machines/commands/decision.ts'
import {fromFailure, TallyError, toErrorBody} from '../../kernel/errors.ts'

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
      const {state, lacks} = decision
      if (lacks) return lacking(command, `process ${exec}`, lacks, {exec, state})
      return new TallyError('ILLEGAL_COMMAND', `cannot ${toWord(command)} the process ${exec}, which is ${state}`, {
        details: {command, exec, state},
      })
    }
  }
}

export function illegal(command: CommandType, {state, legal, lacks}: Extract<Decision, {readonly type: 'reject'}>): TallyError {
  if (lacks) return lacking(command, 'the container', lacks, {state, legal})
  const allowed = legal.length > 0 ? `legal now: ${legal.join(', ')}` : 'nothing is legal now'
  return new TallyError(
    'ILLEGAL_COMMAND',
    `cannot ${command.startsWith('exec') ? 'exec in' : command} a container that is ${state}; ${allowed}`,
    {details: {command, state, legal}},
  )
}

export function toTallyError(error: unknown): TallyError {
  return error instanceof TallyError ? error : fromFailure(toErrorBody(error))
}

/** Of a request whose outcome the journal does not take: the client does not wait for the disk. */
export function toUnwritten(error: unknown): TallyError {
  const {code, message, details} = toTallyError(error)
  return new TallyError(code, `${message}; it is carried out, and what came of it will be written when that can be`, {
    details,
    cause: error,
  })
}

/** The state is not the reason: no other would help. */
function lacking(command: CommandType, who: string, lacks: Lack, details: Readonly<Record<string, unknown>>): TallyError {
  const why = {terminal: `${who} has no terminal`, input: `${who} takes no input`}[lacks]
  return new TallyError('ILLEGAL_COMMAND', `cannot ${toWord(command)}: ${why}`, {details: {command, lacks, ...details}})
}

/** The word for it on the command line, the same for a process and a container. */
function toWord(command: CommandType): string {
  return command.replace(/^exec-/, '')
}
