/** `down --containers`: deletes them all, those as well that have no supervisor, or lose it meanwhile. */
import {TallyError, toErrorBody} from '../../kernel/errors.ts'
import type {Clock} from '../../kernel/clock.ts'
import type {ContainerName} from '../../layout/container-name.ts'

export interface DeleteDependencies {
  readonly list: () => readonly ContainerName[]
  /** Asks its supervisor, by force. Rejects when it refuses, or there is none. */
  readonly ask: (name: ContainerName) => Promise<void>
  /** Gives it a supervisor if it has none, be it for the first time since it was given up. */
  readonly supervise: (name: ContainerName) => void
  readonly clock: Pick<Clock, 'elapsed' | 'sleep'>
}

const patienceMs = 45_000
const retryMs = 200
/** What the kernel does not let go of: its supervisor has said so, and each further try is in the ledger. */
const refused = {patienceMs: 5_000, retryMs: 1_000} as const

/** @throws TallyError CONTAINERS_LEFT, which says what could not be deleted and why */
export async function deleteContainers({list, ask, supervise, clock}: DeleteDependencies): Promise<void> {
  const giveUpAt = clock.elapsed() + patienceMs
  const left = (await Promise.all(list().map(deleteOne))).filter((why) => why !== undefined)
  if (left.length > 0) throw new TallyError('CONTAINERS_LEFT', `could not delete ${left.join('; ')}`, {details: {left}})

  /** @returns why not */
  async function deleteOne(name: ContainerName): Promise<string | undefined> {
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
