/** `down --containers`: deletes all containers, also those that have no supervisor, or lose it in the meantime. */
import type {Clock} from '../../kernel/clock.ts'
import {createConcurrencyLimit} from '../../kernel/concurrency-limit.ts'
import {TallyError, toErrorBody} from '../../kernel/errors.ts'
import type {ContainerName} from '../../layout/container-name.ts'

export interface DeleteDependencies {
  readonly list: () => readonly ContainerName[]
  /** Asks the supervisor for a forced delete. Rejects when it refuses, or there is none. */
  readonly ask: (name: ContainerName) => Promise<void>
  /** Gives the container a supervisor if it has none, also after it was given up. */
  readonly supervise: (name: ContainerName) => void
  readonly clock: Pick<Clock, 'elapsed' | 'sleep'>
}

/** Each wakes a supervisor, and runs the runtime: more at once only makes all of them late. */
const mostAtOnce = 8
/** For one container. */
const patienceMs = 45_000
const retryMs = 200
/** For a container that the kernel does not let go of: each further try adds an event to its ledger. */
const refused = {patienceMs: 5_000, retryMs: 1_000} as const

/** @throws TallyError CONTAINERS_LEFT, which says what could not be deleted and why */
export async function deleteContainers({list, ask, supervise, clock}: DeleteDependencies): Promise<void> {
  const limited = createConcurrencyLimit(mostAtOnce)
  const left = (await Promise.all(list().map((name) => limited(() => deleteOne(name))))).filter((why) => why !== undefined)
  if (left.length > 0) throw new TallyError('CONTAINERS_LEFT', `could not delete ${left.join('; ')}`, {details: {left}})

  /** @returns why not */
  async function deleteOne(name: ContainerName): Promise<string | undefined> {
    const giveUpAt = clock.elapsed() + patienceMs
    for (let firstRefusedAt: number | undefined; ; ) {
      try {
        await ask(name)
        return undefined
      } catch (error) {
        if (!isThere(name)) return undefined
        const {code, message} = toErrorBody(error)
        const isRefused = code === 'DELETE_FAILED'
        if (isRefused) firstRefusedAt ??= clock.elapsed()
        if (clock.elapsed() > Math.min(giveUpAt, (firstRefusedAt ?? giveUpAt) + refused.patienceMs))
          return `${name.namespace}/${name.id} (${message})`
        supervise(name)
        await clock.sleep(isRefused ? refused.retryMs : retryMs)
      }
    }
  }

  function isThere({namespace, id}: ContainerName): boolean {
    return list().some((other) => other.namespace === namespace && other.id === id)
  }
}
