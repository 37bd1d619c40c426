/** What supervisors say to the coordinator when they fall asleep and when they are awake. */
import {nodeCommandSchemas} from '../../../machines/commands/commands.ts'
import {type Endpoint, endpoint} from '../../messaging/services.ts'
import type {Subjects} from '../../messaging/subjects.ts'
import type {StandIn} from './stand-in.ts'

export interface SleepDependencies {
  readonly node: string
  readonly subjects: Subjects
  readonly standIn: Pick<StandIn, 'takeOver' | 'release'>
}

export function createSleepEndpoints({node, subjects, standIn}: SleepDependencies): readonly Endpoint[] {
  return [
    endpoint('sleep', subjects.nodeCommand(node, 'sleep'), nodeCommandSchemas.sleep, async (name) => ({
      standsIn: await standIn.takeOver(name),
    })),
    endpoint('awake', subjects.nodeCommand(node, 'awake'), nodeCommandSchemas.awake, async (name) => {
      standIn.release(name)
      return {}
    }),
  ]
}
