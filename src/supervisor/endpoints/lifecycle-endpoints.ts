/** Commands that change the container: each is answered when its outcome is in the ledger. */
import type {Command} from '../../../machines/commands/commands.ts'
import type {Endpoint} from '../../messaging/services.ts'
import {assertLimits} from '../../runtime/spec/limit-bounds.ts'
import type {Loop} from '../loop/loop.ts'
import type {Origin} from '../loop/origin.ts'
import type {ToEndpoint} from './command-endpoint.ts'
import type {ToPublishedView} from './published.ts'
import {toOwnView} from './replies.ts'

export interface LifecycleDependencies {
  readonly on: ToEndpoint
  readonly loop: Pick<Loop, 'submit' | 'waitForExit'>
  readonly published: ToPublishedView
  /** Resolves when nothing of the container is left. */
  readonly gone: Promise<void>
}

export function createLifecycleEndpoints({on, loop, published, gone}: LifecycleDependencies): readonly Endpoint[] {
  const submit = async (command: Command, origin: Origin) => await published(await loop.submit(command, origin))
  return [
    on('pause', (_request, origin) => submit({type: 'pause'}, origin)),
    on('resume', (_request, origin) => submit({type: 'resume'}, origin)),
    on('checkpoint', (checkpoint, origin) => submit({type: 'checkpoint', checkpoint}, origin)),
    on('update', async (limits, origin) => {
      assertLimits(limits)
      return await submit({type: 'update', limits}, origin)
    }),
    on('stop', ({signal, graceMs}, origin) => submit({type: 'stop', signal, graceMs}, origin)),
    on('delete', async ({exec, force}, origin) => {
      if (exec !== undefined) return toOwnView(await loop.submit({type: 'exec-delete', exec}, origin))
      const ledger = await loop.submit({type: 'delete', force}, origin)
      // When the answer comes, its id is free and nobody listens on its address.
      await gone
      return toOwnView(ledger)
    }),
    on('wait', async ({exec, waitMs}) => await published(await loop.waitForExit(exec, waitMs), exec)),
  ]
}
