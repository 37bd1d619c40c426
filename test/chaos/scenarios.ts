/** The scenarios: lives of containers with a known exit and a known number of output lines. */
import type {CreateRequestInput} from '../../machines/schemas/create-request.ts'
import type {ProcessExit} from '../../machines/ledger/process-exit.ts'
import type {Actor} from './actor.ts'

export interface Scenario {
  readonly name: string
  /** The create request without the root file system. */
  readonly request: (pace: Pace) => {readonly args: string[]} & Pick<CreateRequestInput, 'autoRemove' | 'stdin'>
  /** The number of lines on stdout, and the same on stderr; undefined when it is not known. */
  readonly lines: (pace: Pace) => number | undefined
  /** The exit of init; undefined when init never exists. */
  readonly exit: ProcessExit | undefined
  /** The commands after the create. */
  readonly live: (actor: Actor, pace: Pace) => Promise<void>
}

/** The number of lines, and the pause after every tenth line. */
export interface Pace {
  readonly lines: number
  readonly restSeconds: number
}

export const execExit: ProcessExit = {type: 'code', code: 3}

/** A script for busybox sh, whose echo is a single write(2). */
export function countTo({lines, restSeconds}: Pace): string {
  return `i=0; while [ $i -lt ${lines} ]; do i=$((i+1)); echo "line $i"; echo "line $i" >&2; [ \${i%0} = $i ] || sleep ${restSeconds}; done`
}

const forEver = 'while :; do sleep 0.05; done'
const killed: ProcessExit = {type: 'signal', signal: 'SIGKILL'}
const allOf = ({lines}: Pace) => lines

function shell(toScript: (pace: Pace) => string): Scenario['request'] {
  return (pace) => ({args: ['sh', '-c', toScript(pace)]})
}

export function toLines(count: number): string {
  return Array.from({length: count}, (_, index) => `line ${index + 1}\n`).join('')
}

export const scenarios: readonly Scenario[] = [
  {
    name: 'exit',
    request: shell((pace) => `${countTo(pace)}; exit 7`),
    lines: allOf,
    exit: {type: 'code', code: 7},
    live: async (actor) => {
      await actor.start()
      await actor.hasStopped()
      await actor.delete()
    },
  },
  {
    name: 'exec',
    request: shell((pace) => `trap 'exit 5' TERM; ${countTo(pace)}; ${forEver}`),
    lines: allOf,
    exit: {type: 'code', code: 5},
    live: async (actor, pace) => {
      await actor.start()
      await actor.hasWritten()
      await actor.exec(['sh', '-c', `${countTo(pace)}; exit 3`])
      await actor.stop({graceMs: 20_000})
      await actor.delete()
    },
  },
  {
    name: 'stop',
    request: shell((pace) => `trap '' TERM; ${countTo(pace)}; ${forEver}`),
    lines: allOf,
    exit: killed,
    live: async (actor) => {
      await actor.start()
      await actor.hasWritten()
      await actor.stop({graceMs: 200})
      await actor.delete()
    },
  },
  {
    name: 'pause',
    request: shell((pace) => `trap 'exit 9' TERM; ${countTo(pace)}; ${forEver}`),
    lines: allOf,
    exit: {type: 'code', code: 9},
    live: async (actor) => {
      await actor.start()
      await actor.hasWritten()
      await actor.pause()
      await actor.resume()
      await actor.kill('SIGTERM')
      await actor.delete()
    },
  },
  {
    name: 'kill',
    request: shell((pace) => `${countTo(pace)}; ${forEver}`),
    lines: allOf,
    exit: killed,
    live: async (actor) => {
      await actor.start()
      await actor.hasWritten()
      await actor.kill('SIGKILL')
      await actor.delete()
    },
  },
  {
    name: 'forced delete',
    request: shell((pace) => `${countTo(pace)}; ${forEver}`),
    lines: () => undefined,
    exit: killed,
    live: async (actor) => {
      await actor.start()
      await actor.delete({force: true})
    },
  },
  {
    name: 'failing create',
    request: () => ({args: ['/nowhere']}),
    lines: () => undefined,
    exit: undefined,
    live: (actor) => actor.isGone(),
  },
  {
    name: 'auto-remove',
    request: (pace) => ({...shell((own) => `${countTo(own)}; exit 4`)(pace), autoRemove: true}),
    lines: allOf,
    exit: {type: 'code', code: 4},
    live: async (actor) => {
      await actor.startAndRead()
      await actor.isGone()
    },
  },
  {
    name: 'stdin',
    request: () => ({args: ['sh', '-c', 'while read -r line; do echo "$line"; echo "$line" >&2; done; exit 6'], stdin: true}),
    lines: allOf,
    exit: {type: 'code', code: 6},
    live: async (actor, {lines}) => {
      await actor.start()
      await actor.feed(toLines(lines))
      await actor.hasStopped()
      await actor.delete()
    },
  },
]
