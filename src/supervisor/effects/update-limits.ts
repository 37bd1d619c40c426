import {isBundleRequest} from '../../../machines/schemas/create-request.ts'
import type {ContainerContext} from '../../../machines/charts/container-context.ts'
import type {Limits} from '../../../machines/schemas/limits.ts'
import {TallyError} from '../../kernel/errors.ts'
import {makeMemoryRoom} from '../../linux/memory-room.ts'
import type {OciRuntime} from '../../runtime/oci-runtime.ts'
import {toOciLimits} from '../../runtime/spec/limits.ts'

export interface UpdateOptions {
  readonly id: string
  /** Of the container as it is. */
  readonly context: Pick<ContainerContext, 'limits' | 'request' | 'cgroups'>
  /** Whether the host accounts for swap. */
  readonly limitsSwap: boolean
}

/** @throws TallyError RUNC_UPDATE_FAILED, also when the kernel would have to kill for it; INVALID_REQUEST */
export async function updateLimits(runtime: Pick<OciRuntime, 'update'>, limits: Limits, options: UpdateOptions): Promise<void> {
  const {id, context, limitsSwap} = options
  const {limits: present, request, cgroups} = context
  // A bundle is used as it is, and may allow swap.
  const isBundle = request !== undefined && isBundleRequest(request)
  const {memory, ...others} = toOciLimits(limits, {present, limitsSwap: limitsSwap && !isBundle})
  const {memoryBytes} = limits
  using room = memoryBytes ? makeMemoryRoom(cgroups, memoryBytes) : undefined
  if (memoryBytes && room && room.usedBytes > memoryBytes) {
    const why = `the container uses ${room.usedBytes} bytes that the kernel cannot take back, and it would kill for them`
    throw new TallyError('RUNC_UPDATE_FAILED', `cannot set a limit of ${memoryBytes} bytes of memory: ${why}`, {
      details: {memoryBytes, usedBytes: room.usedBytes},
    })
  }
  // A runtime that knows this looks once more, in the moment of the change.
  await runtime.update(id, {...others, ...(memory && {memory: {...memory, checkBeforeUpdate: true}})})
}
