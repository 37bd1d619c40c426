/** The one file that builds and parses subjects. Ids are checked before they become a token. */
import type {ContainerVerb, NodeVerb} from '../../machines/commands/commands.ts'
import {type EventType, isEventType} from '../../machines/ledger/events.ts'
import {type ContainerAddress, idRule, isId} from '../../machines/ledger/ids.ts'
import type {StreamName} from '../../machines/schemas/streams.ts'
import {TallyError} from '../kernel/errors.ts'

export const defaultPrefix = 'tally'

export interface EventFilter {
  readonly node?: string
  readonly namespace?: string
  readonly id?: string
  readonly type?: EventType
}

export interface Subjects {
  readonly prefix: string
  /** `tally.cmd.<node>.<verb>` */
  nodeCommand(node: string, verb: NodeVerb): string
  /** `tally.cmd.<node>.<ns>.<id>.<verb>` */
  containerCommand(address: ContainerAddress, verb: ContainerVerb): string
  /** All commands of a container. */
  commands(address: ContainerAddress): string
  /** `tally.evt.<node>.<ns>.<id>.<entity>.<what>` */
  event(address: ContainerAddress, type: EventType): string
  /** All events that match; what is left out matches anything. */
  events(filter?: EventFilter): string
  /** `tally.log.<node>.<ns>.<id>.stdout` */
  log(address: ContainerAddress, stream: StreamName): string
  /** `tally.io.<node>.<ns>.<id>.<exec>.stdout`: output of an added process, or the input of one; that of init is `init`. */
  io(address: ContainerAddress, process: string, stream: 'stdin' | StreamName): string
  /** The input of every process of a container. */
  inputs(address: ContainerAddress): string
  /** Undefined for what is not the input of a process. */
  parseInput(subject: string): {readonly process: string} | undefined
  /** `tally.stats.<node>.<ns>.<id>` */
  stats(address: ContainerAddress): string
  /** `tally.own.<node>.<ns>.<id>.>`: of the supervisor that is awake, and of nobody else. */
  own(address: ContainerAddress): string
  /** `tally.own.<node>.<ns>.<id>.awake`: answered by a supervisor that is awake. */
  awake(address: ContainerAddress): string
  /** The supervisor's own subject for a command or a piece of input: `tally.own.<node>.<ns>.<id>.cmd.<verb>`. */
  toOwn(subject: string): string | undefined
  /** The reverse of {@link toOwn}; undefined for what is no such subject. */
  fromOwn(subject: string): string | undefined
  /** The last token of the subject of a command of a container; undefined for any other subject. */
  parseVerb(subject: string): string | undefined
  /** Undefined for what is not the subject of an event. */
  parseEvent(subject: string): {readonly address: ContainerAddress; readonly type: EventType} | undefined
}

/** @param prefix one token, or several separated by dots */
export function createSubjects(prefix: string = defaultPrefix): Subjects {
  if (!prefix.split('.').every(isId)) {
    throw new TallyError(
      'INVALID_ARGUMENT',
      `expected a subject prefix of tokens (${idRule}) parted by dots, got ${JSON.stringify(prefix)}`,
    )
  }
  const place = ({node, namespace, id}: ContainerAddress) => [node, namespace, id].map(toToken).join('.')
  return {
    prefix,
    nodeCommand: (node, verb) => `${prefix}.cmd.${toToken(node)}.${verb}`,
    containerCommand: (address, verb) => `${prefix}.cmd.${place(address)}.${verb}`,
    commands: (address) => `${prefix}.cmd.${place(address)}.*`,
    event: (address, type) => `${prefix}.evt.${place(address)}.${type}`,
    events: ({node, namespace, id, type} = {}) =>
      `${prefix}.evt.${[node, namespace, id].map((token) => (token === undefined ? '*' : toToken(token))).join('.')}.${type ?? '>'}`,
    log: (address, stream) => `${prefix}.log.${place(address)}.${stream}`,
    io: (address, process, stream) => `${prefix}.io.${place(address)}.${toToken(process)}.${stream}`,
    inputs: (address) => `${prefix}.io.${place(address)}.*.stdin`,
    parseInput: (subject) => {
      if (!subject.startsWith(`${prefix}.io.`)) return undefined
      const [, , , process, stream, ...rest] = subject.slice(`${prefix}.io.`.length).split('.')
      return isId(process) && stream === 'stdin' && rest.length === 0 ? {process} : undefined
    },
    stats: (address) => `${prefix}.stats.${place(address)}`,
    own: (address) => `${prefix}.own.${place(address)}.>`,
    awake: (address) => `${prefix}.own.${place(address)}.awake`,
    toOwn: (subject) => {
      const {kind, address, rest} = parse(subject)
      return kind === 'cmd' || kind === 'io' ? `${prefix}.own.${address}.${kind}.${rest}` : undefined
    },
    fromOwn: (subject) => {
      const {kind, address, rest} = parse(subject)
      const [what, ...tokens] = rest.split('.')
      return kind === 'own' && (what === 'cmd' || what === 'io') ? `${prefix}.${what}.${address}.${tokens.join('.')}` : undefined
    },
    parseVerb: (subject) => {
      const {kind, rest} = parse(subject)
      return kind === 'cmd' && rest !== '' && !rest.includes('.') ? rest : undefined
    },
    parseEvent: (subject) => {
      if (!subject.startsWith(`${prefix}.evt.`)) return undefined
      const [node, namespace, id, ...rest] = subject.slice(prefix.length + '.evt.'.length).split('.')
      const type = rest.join('.')
      return isId(node) && isId(namespace) && isId(id) && isEventType(type) ? {address: {node, namespace, id}, type} : undefined
    },
  }

  /** Of the subject of a container: what it carries, `<node>.<ns>.<id>`, and the tokens behind. */
  function parse(subject: string): {readonly kind: string; readonly address: string; readonly rest: string} {
    const [kind = '', ...tokens] = subject.startsWith(`${prefix}.`) ? subject.slice(prefix.length + 1).split('.') : []
    return {kind, address: tokens.slice(0, 3).join('.'), rest: tokens.slice(3).join('.')}
  }
}

function toToken(value: string): string {
  if (!isId(value)) throw new TallyError('INVALID_ARGUMENT', `expected ${idRule}, got ${JSON.stringify(value)}`)
  return value
}
