import type {OciRuntime} from '../../runtime/oci-runtime.ts'

/** Whatever became of a call of the runtime; undefined when it cannot be known. */
export async function isFrozen(runtime: Pick<OciRuntime, 'state'>, id: string): Promise<boolean | undefined> {
  const state = await runtime.state(id).catch(() => undefined)
  return state && state.status === 'paused'
}
