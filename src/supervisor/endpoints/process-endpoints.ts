/** Commands for a process of the container: its init, or an added process that the request names. */
import {randomBytes} from 'node:crypto'
import type {Command} from '../../../machines/commands/commands.ts'
import type {Endpoint} from '../../messaging/services.ts'
import type {Loop} from '../loop/loop.ts'
import type {Origin} from '../loop/origin.ts'
import type {Outputs} from '../output/outputs.ts'
import type {ToEndpoint} from './command-endpoint.ts'
import type {ToPublishedView} from './published.ts'

export interface ProcessDependencies {
  readonly on: ToEndpoint
  readonly loop: Pick<Loop, 'submit'>
  readonly outputs: Pick<Outputs, 'of'>
  readonly published: ToPublishedView
}

export function createProcessEndpoints({on, loop, outputs, published}: ProcessDependencies): readonly Endpoint[] {
  const submit = async (exec: string | undefined, command: Command, origin: Origin) =>
    await published(await loop.submit(command, origin), exec)
  return [
    on('exec', async ({exec = randomBytes(6).toString('hex'), start, holdMs, ...spec}, origin) => {
      const added = await loop.submit({type: 'exec', exec, spec}, origin)
      if (holdMs !== undefined) outputs.of(exec).lease.take(holdMs)
      return await published(start ? await loop.submit({type: 'exec-start', exec}, origin) : added, exec)
    }),
    on('start', ({exec}, origin) => submit(exec, exec === undefined ? {type: 'start'} : {type: 'exec-start', exec}, origin)),
    on('kill', ({exec, signal, all}, origin) =>
      submit(exec, exec === undefined ? {type: 'kill', signal, all} : {type: 'exec-kill', exec, signal, all}, origin),
    ),
    on('resize', ({exec, columns, rows}, origin) =>
      submit(exec, exec === undefined ? {type: 'resize', columns, rows} : {type: 'exec-resize', exec, columns, rows}, origin),
    ),
    on('close-stdin', ({exec}, origin) =>
      submit(exec, exec === undefined ? {type: 'close-stdin'} : {type: 'exec-close-stdin', exec}, origin),
    ),
  ]
}
