/** Whether a coordinator that does not answer will be there soon: its parent on this machine says that (docs/shim.md). */
import {connectShimControl} from '../shim/client/control.ts'

export type Outlook =
  /** It has no parent here, or none that answers. */
  | {readonly type: 'unknown'}
  | {readonly type: 'starting'}
  /** It has died so often, and is not started again. */
  | {readonly type: 'given up'; readonly deaths: number}

/** A parent answers within a millisecond, unless somebody has stopped it. */
const answerMs = 1_000

export async function readOutlook(socket: string): Promise<Outlook> {
  try {
    using control = await connectShimControl(socket)
    const late = new Promise<undefined>((resolve) => setTimeout(resolve, answerMs, undefined).unref())
    const status = await Promise.race([control.status(), late])
    if (!status) return {type: 'unknown'}
    return status.phase === 'gave-up' ? {type: 'given up', deaths: status.deaths} : {type: 'starting'}
  } catch {
    return {type: 'unknown'}
  }
}
