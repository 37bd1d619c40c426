/** What a coordinator is for sleepers, on a connection of its own. */
import {nodeCommandSchemas} from '../../../../machines/commands/commands.ts'
import type {HoldLimits} from '../../../../src/coordinator/sleepers/hold.ts'
import {createStandIn, type StandIn, type StandInDependencies} from '../../../../src/coordinator/sleepers/stand-in.ts'
import {silentLogger} from '../../../../src/kernel/log.ts'
import type {Connection} from '../../../../src/messaging/connection.ts'
import {createNatsLink, type NatsLink} from '../../../../src/messaging/link.ts'
import {endpoint, registerService} from '../../../../src/messaging/services.ts'
import {clock, subjects} from './sleeping-supervisor.ts'

export interface TestCoordinator extends AsyncDisposable {
  readonly standIn: StandIn
  readonly link: NatsLink
}

export async function startCoordinator(
  connection: Connection,
  dependencies: Pick<StandInDependencies, 'wake'> & Partial<StandInDependencies>,
  limits?: HoldLimits,
): Promise<TestCoordinator> {
  const link = createNatsLink({readConnection: async () => connection, name: () => 'coordinator', clock, logger: silentLogger})
  const standIn = createStandIn(
    {
      node: 'n1',
      subjects,
      link,
      exists: () => true,
      toRead: () => undefined,
      onAwake: () => {},
      clock,
      logger: silentLogger,
      ...dependencies,
    },
    limits,
  )
  link.onSession(async (session) => {
    await registerService(session, {
      name: 'tally-coordinator',
      version: '1.2.3',
      description: 'for a test',
      metadata: {},
      endpoints: [
        endpoint('sleep', subjects.nodeCommand('n1', 'sleep'), nodeCommandSchemas.sleep, async ({namespace, id}) => ({
          standsIn: await standIn.takeOver({namespace, id}),
        })),
        endpoint('awake', subjects.nodeCommand('n1', 'awake'), nodeCommandSchemas.awake, async (name) => {
          standIn.release(name)
          return {}
        }),
      ],
      logger: silentLogger,
    })
  })
  await link.connected()
  return {standIn, link, [Symbol.asyncDispose]: () => link[Symbol.asyncDispose]()}
}
