/**
 * Positions at which a supervisor can be made to die, so that a test sees what follows. Decorators, put around what main.ts composes, and
 * around nothing unless the node was started with `TALLY_FAILPOINTS`, a directory, in its environment.
 *
 * There the file `<ns>.<id>` has one line for each supervisor of that container to come: the position at which it dies. The file
 * `<ns>.<id>.passed` gets a line for each position that was passed, `append#5:before` for example.
 */
import {appendFileSync, existsSync, readFileSync, writeFileSync} from 'node:fs'
import {join} from 'node:path'
import type {LedgerEvent} from '../../machines/ledger/events.ts'
import type {ContainerAddress} from '../../machines/ledger/ids.ts'
import type {Journal} from '../journal/journal.ts'
import type {EventSource} from '../messaging/judge-comparison.ts'
import type {Shim} from '../shim/client/shim.ts'
import type {RunEffect} from './effects/effect-call.ts'

/** Passes a position, or dies there. */
export type Failpoint = (position: string) => void

export const failpointsVariable = 'TALLY_FAILPOINTS'

/** Numbers count from 1, for each kind of position and each supervisor; those of events are their sequences. */
export interface Failpoints {
  /** `append#3:before` an event is written, and `:after`. */
  journal(journal: Journal): Journal
  /** `publish#3:before` an event is published, and `:after` the stream has confirmed it. */
  source(source: EventSource): EventSource
  /** `effect.runtime.start#1:before` it runs, and `:after` it has ended, which is before its outcome is journaled. */
  effects(run: RunEffect): RunEffect
  /** `reap#1:before` the shim is asked to let the kernel forget a process, and `:after` it has. */
  call(call: Shim['call']): Shim['call']
  /** `runtime#1:spawned`, the runtime's process; and `runtime.end#1:reaped`. */
  readonly onSpawn: () => void
  readonly onReaped: () => void
}

/** As if there were none. */
export const noFailpoints: Failpoints = {
  journal: (journal) => journal,
  source: (source) => source,
  effects: (run) => run,
  call: (call) => call,
  onSpawn: () => {},
  onReaped: () => {},
}

/** Those that the environment asks for. */
export function readFailpoints(address: Omit<ContainerAddress, 'node'>): Failpoints {
  const directory = process.env[failpointsVariable]
  return directory === undefined ? noFailpoints : createFailpoints(createFileFailpoint(directory, address))
}

export function createFailpoints(pass: Failpoint): Failpoints {
  const counts = new Map<string, number>()
  const count = (kind: string) => {
    counts.set(kind, (counts.get(kind) ?? 0) + 1)
    return `${kind}#${counts.get(kind)}`
  }

  return {
    journal: (journal) => ({
      ...journal,
      append: (event) => {
        pass(`append#${event.sequence}:before`)
        journal.append(event)
        pass(`append#${event.sequence}:after`)
      },
    }),
    source: (source) => ({...source, read: (after) => readPassing(source, after)}),
    effects: (run) => async (effect, call) => {
      const name = count(`effect.${effect.type}`)
      pass(`${name}:before`)
      const outcome = await run(effect, call)
      pass(`${name}:after`)
      return outcome
    },
    call: (call) => async (type, fields) => {
      if (type !== 'reap') return await call(type, fields)
      const name = count('reap')
      pass(`${name}:before`)
      const reply = await call(type, fields)
      pass(`${name}:after`)
      return reply
    },
    onSpawn: () => pass(`${count('runtime')}:spawned`),
    onReaped: () => pass(`${count('runtime.end')}:reaped`),
  }

  /** The outbox reads an event, publishes it, and comes for the next when the stream has confirmed it. */
  function* readPassing(source: EventSource, after?: number): Generator<LedgerEvent> {
    for (const event of source.read(after)) {
      pass(`publish#${event.sequence}:before`)
      yield event
      pass(`publish#${event.sequence}:after`)
    }
  }
}

/** That of a container, as the directory has it. */
export function createFileFailpoint(directory: string, {namespace, id}: Omit<ContainerAddress, 'node'>): Failpoint {
  const file = join(directory, `${namespace}.${id}`)
  return (position) => {
    appendFileSync(`${file}.passed`, `${position}\n`)
    const [next, ...later] = existsSync(file) ? readFileSync(file, 'utf8').split('\n').filter(Boolean) : []
    if (position !== next) return
    // The supervisor after this one lives, or dies where its own line says.
    writeFileSync(file, later.map((line) => `${line}\n`).join(''))
    process.kill(process.pid, 'SIGKILL')
  }
}
