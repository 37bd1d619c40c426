/**
 * Looks out for processes of the container that the kernel kills for want of memory. MUST hold: a kill is told before the exit
 * that it caused; achieved by one more look when init has ended, while its groups are still there.
 */
import {watch as watchFile} from 'node:fs'
import type {EventData} from '../../../machines/ledger/events.ts'
import type {ProcessExit} from '../../../machines/ledger/process-exit.ts'
import type {Clock} from '../../kernel/clock.ts'
import {isEnding} from '../../linux/ending.ts'
import {findOomCounter, hasMemoryLimit, type OomCounter, readOomKills} from '../../linux/oom.ts'

export interface OomWatch extends Disposable {
  /** Begins, and again when limits have changed. @param known how many kills are in the ledger already */
  watch(initPid: number, cgroups: readonly string[], known: number): void
  /** Tells at once what has been counted since the last look. */
  look(): void
  /** Whether it was the kernel's want of memory that ended init, as far as anybody can know. Looks before. */
  hasEnded(exit: ProcessExit): boolean
}

export interface OomWatchDependencies {
  readonly clock: Pick<Clock, 'elapsed' | 'at'>
  readonly onOom: (data: EventData<'container.oom'>) => void
}

/** Files of v1 tell nobody: its eventfd cannot be made from here. To wake up and look takes about 0.4 ms. */
const pollMs = 1_000
/** A host that runs out of memory kills as well, and counts in the same place, but that is rare. */
const unlimitedPollMs = 10_000
/** The count rises just before SIGKILL is sent: who is not ending after this was not the one. */
const settleMs = 20

export function createOomWatch({clock, onOom}: OomWatchDependencies): OomWatch {
  let counter: OomCounter | undefined
  let init = 0
  let killed = 0
  let hasKilledInit = false
  let watcher: Disposable | undefined

  return {
    watch: (initPid, cgroups, known) => {
      init = initPid
      killed = Math.max(killed, known)
      counter = findOomCounter(cgroups)
      watcher?.[Symbol.dispose]()
      watcher = counter && ((counter.isWatchable ? listen(counter) : undefined) ?? poll(counter))
      look()
    },
    look,
    hasEnded: (exit) => {
      look()
      return hasKilledInit && exit.type === 'signal' && exit.signal === 'SIGKILL'
    },
    [Symbol.dispose]: () => watcher?.[Symbol.dispose](),
  }

  function look(): void {
    const count = counter && readOomKills(counter)
    if (!counter || count === undefined || count <= killed) return
    killed = count
    hasKilledInit ||= isEnding(init)
    onOom({cgroup: counter.cgroup, killed})
  }

  function poll(polled: OomCounter): Disposable {
    const intervalMs = hasMemoryLimit(polled) ? pollMs : unlimitedPollMs
    let timer = arm()
    return {[Symbol.dispose]: () => timer[Symbol.dispose]()}

    function arm(): Disposable {
      return clock.at(clock.elapsed() + intervalMs, () => {
        timer = arm()
        look()
      })
    }
  }

  /** Undefined when inotify's instances are used up (128 for a user, by default). */
  function listen(watched: OomCounter): Disposable | undefined {
    let timer: Disposable | undefined
    try {
      const listener = watchFile(watched.file, () => {
        timer ??= clock.at(clock.elapsed() + settleMs, () => {
          timer = undefined
          look()
        })
      })
      listener.on('error', () => {
        listener.close()
        watcher = poll(watched)
      })
      return {
        [Symbol.dispose]: () => {
          timer?.[Symbol.dispose]()
          listener.close()
        },
      }
    } catch {
      return undefined
    }
  }
}
