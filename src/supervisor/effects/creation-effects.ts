/** The effects with which the container is made: for the first time, and again for a restart. */
import {rm} from 'node:fs/promises'
import type {Draft} from '../../../machines/ledger/draft.ts'
import type {CreateRequest} from '../../../machines/schemas/create-request.ts'
import {toErrorBody} from '../../kernel/errors.ts'
import {enterSharedDirectories} from '../../layout/shared-directories.ts'
import {removeCgroupRemains} from './cgroup-remains.ts'
import {checkRestore} from './checkpoint-effects.ts'
import {copyRuntimeState} from './copy-runtime-state.ts'
import type {EffectDependencies, EffectOptions} from './effect-dependencies.ts'
import type {Family} from './handlers.ts'
import {lastCheck} from './last-check.ts'

export function createCreationEffects(
  dependencies: EffectDependencies,
  {address: {id}, layout, copiesState}: EffectOptions,
): CreationEffects {
  const {runtime, outputs, init, health, children, clock, logger, prepareBundle, unmountRootfs} = dependencies
  const output = outputs.of()

  return {
    'runtime.create': async ({request}) => {
      try {
        if (request.checkpoint) await checkRestore(request.checkpoint, children)
        return await create(request)
      } catch (error) {
        // The deletion that follows tries again, and reports what fails.
        await rollBack().catch(() => {})
        return toFailure(error)
      }
    },

    // When it fails, nothing is rolled back: what was made for the first container has the changes of all that followed.
    'runtime.recreate': async ({request}) => {
      try {
        await init.killRemains()
        await lastCheck(health, clock)
        await runtime.delete(id, {force: true})
        await removeCgroupRemains(layout.cgroupsPath, clock)
        await output.renew()
        const {checkpoint: _, ...again} = request
        return await create(again)
      } catch (error) {
        return toFailure(error)
      }
    },

    'runtime.copy-state': async () => {
      if (copiesState) copyRuntimeState(layout, id, logger)
      return undefined
    },
  }

  /** From a checkpoint there are no processes before the start. */
  async function create(request: CreateRequest): Promise<Draft> {
    enterSharedDirectories(layout)
    const {bundle, args, terminal, overlay, confinement} = await prepareBundle(request)
    const made = {bundle, args: [...args], ...(terminal && {terminal}), ...(overlay && {overlay}), confinement}
    if (request.checkpoint) return {type: 'container.created', data: {...made, cgroups: []}}
    const stdio = await output.open({stdin: request.stdin === true, terminal, consoleSize: request.consoleSize, rotation: request.log})
    // Until it is watched, init is a child that is not known.
    using _hold = await children.holdOrphans()
    const {pid} = await runtime.create({id, bundle, pidFile: layout.pidFile, stdio})
    const {identity, cgroups} = init.adopt(pid)
    await output.handOver()
    return {type: 'container.created', data: {init: identity, ...made, cgroups: [...cgroups]}}
  }

  async function rollBack(): Promise<void> {
    await output.remove()
    await removeCgroupRemains(layout.cgroupsPath, clock)
    unmountRootfs()
    await rm(layout.runDir, {recursive: true, force: true})
  }
}

type CreationEffects = Family<'runtime.create' | 'runtime.recreate' | 'runtime.copy-state'>

function toFailure(error: unknown): Draft {
  return {type: 'container.create-failed', data: {error: toErrorBody(error)}}
}
