/** `down --containers`: deletes them all, those as well that have no supervisor, or lose it meanwhile. */
import {TallyError, toErrorBody} from '../kernel/errors.ts'
import type {Clock} from '../kernel/clock.ts'
import type {ContainerName} from './containers.ts'

export interface DeleteDependencies {
  readonly list: () => readonly ContainerName[]
  /** Asks its supervisor, by force. Rejects when it refuses, or there is none. */
  readonly ask: (name: ContainerName) => Promise<void>
  /** Gives it a supervisor if it has none, be it for the first time since it was given up. */
  readonly supervise: (name: ContainerName) => void
  readonly clock: Pick<Clock, 'now' | 'sleep'>
}

const patienceMs = 45_000
const retryMs = 200

/** @throws TallyError CONTAINERS_LEFT, which says what could not be deleted and why */
export async function deleteContainers({list, ask, supervise, clock}: DeleteDependencies): Promise<void> {
  const giveUpAt = clock.now() + patienceMs
  const left = (await Promise.all(list().map(deleteOne))).filter((why) => why !== undefined)
  if (left.length > 0) throw new TallyError('CONTAINERS_LEFT', `could not delete ${left.join('; ')}`, {details: {left}})

  /** @returns why not */
  async function deleteOne(name: ContainerName): Promise<string | undefined> {
    for (;;) {
      try {
        await ask(name)
        return undefined
      } catch (error) {
        if (!isThere(name)) return undefined
        if (clock.now() > giveUpAt) return `${name.namespace}/${name.id} (${toErrorBody(error).message})`
        supervise(name)
        await clock.sleep(retryMs)
      }
    }
  }

  function isThere({namespace, id}: ContainerName): boolean {
    return list().some((other) => other.namespace === namespace && other.id === id)
  }
}
