import type {ContainerAddress} from '../../../machines/ledger/ids.ts'
import {encodeJson} from '../../messaging/codec.ts'
import type {NatsLink} from '../../messaging/link.ts'
import type {Subjects} from '../../messaging/subjects.ts'

const answerMs = 500

/** Asks the coordinator to hold the pipes of an added process, so that they outlive this supervisor. Never rejects. */
export function createHoldPipes(
  {link, subjects}: {readonly link: Pick<NatsLink, 'session'>; readonly subjects: Subjects},
  {node, namespace, id}: ContainerAddress,
): (exec: string) => Promise<void> {
  return async (exec) => {
    const request = link.session()?.request(subjects.nodeCommand(node, 'hold'), encodeJson({namespace, id, exec}), {timeout: answerMs})
    // Without a coordinator there is none to hold them.
    await request?.catch(() => {})
  }
}
