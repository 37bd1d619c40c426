/** What the chart asks for about checkpoints: one taken, one to begin with. */
import {join} from 'node:path'
import type {RestoreSpec} from '../../../machines/schemas/checkpoint.ts'
import {toErrorBody} from '../../kernel/errors.ts'
import {
  type CheckpointManifest,
  emptyImage,
  prepareImage,
  readManifest,
  toCriuName,
  toImageChanges,
  writeManifest,
} from '../../runtime/checkpoint-image.ts'
import {checkCriu, explainCriuFailure, writeCriuConfig} from '../../runtime/criu.ts'
import {copyOverlayChanges, toOverlayChanges} from '../../runtime/rootfs.ts'
import type {EffectDependencies, EffectOptions} from './effect-dependencies.ts'
import type {Family} from './handlers.ts'

export function createCheckpointEffects(
  {runtime, init, outputs, clock, bootNow, children}: EffectDependencies,
  {address: {id}, layout}: EffectOptions,
): Family<'runtime.checkpoint' | 'runtime.restore'> {
  const workDir = join(layout.runDir, 'criu')

  return {
    'runtime.checkpoint': async ({checkpoint}, {ledger}) => {
      const {image, leaveRunning} = checkpoint
      let isOurs = false
      try {
        await checkHeld(children)
        prepareImage(image)
        isOurs = true
        const stdio = toCriuStdio(layout.fifoDir)
        await runtime.checkpoint({id, checkpoint, workDir, criuConfig: writeCriuConfig(workDir, stdio, 'dump')})
        const {request, overlay} = ledger().snapshot.context
        if (overlay) copyOverlayChanges(toOverlayChanges(layout.stateDir), toImageChanges(image))
        if (request) writeManifest(image, {takenAt: new Date(clock.now()).toISOString(), request, stdio})
        return {type: 'container.checkpointed', data: {image, leaveRunning}}
      } catch (error) {
        if (isOurs) emptyImage(image)
        return {type: 'container.checkpoint-failed', data: {error: toErrorBody(explainCriuFailure(error, workDir, 'dump'))}}
      }
    },

    'runtime.restore': async ({checkpoint}, {ledger}) => {
      const output = outputs.of()
      try {
        const {stdio: names} = readManifest(checkpoint.image)
        const {bundle = layout.stateDir, request, terminal} = ledger().snapshot.context
        const stdio = await output.open({
          stdin: request?.stdin === true,
          terminal,
          consoleSize: request?.consoleSize,
          rotation: request?.log,
        })
        // As for create: until it is watched, init is a child that is not known.
        using _hold = await children.holdOrphans()
        const criuConfig = writeCriuConfig(workDir, names, 'restore')
        const {pid} = await runtime.restore({id, bundle, pidFile: layout.pidFile, stdio, checkpoint, workDir, criuConfig})
        const {identity, cgroups} = init.adopt(pid)
        await output.handOver()
        return {type: 'container.started', data: {init: identity, cgroups: [...cgroups], boot: bootNow()}}
      } catch (error) {
        await runtime.delete(id, {force: true}).catch(() => {
          // A deletion of the container tries again, and reports what fails.
        })
        await output.remove()
        return {type: 'container.start-failed', data: {error: toErrorBody(explainCriuFailure(error, workDir, 'restore'))}}
      }
    },
  }
}

/** Before anything is made for it. @throws TallyError CRIU_UNAVAILABLE, CHECKPOINT_INVALID */
export async function checkRestore({image}: RestoreSpec, children: EffectDependencies['children']): Promise<void> {
  await checkHeld(children)
  readManifest(image)
}

async function checkHeld(children: EffectDependencies['children']): Promise<void> {
  using _hold = await children.holdOrphans()
  await checkCriu()
}

function toCriuStdio(fifoDir: string): CheckpointManifest['stdio'] {
  const [stdin, stdout, stderr] = ['stdin', 'stdout', 'stderr'].map((name) => toCriuName(join(fifoDir, name)))
  return [stdin ?? null, stdout ?? null, stderr ?? null]
}
