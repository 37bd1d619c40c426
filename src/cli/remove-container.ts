import type {ContainerClient} from '../client/client.ts'
import {toErrorBody} from '../kernel/errors.ts'

/** Deletes a container, whatever its state. One that is already gone, as with --rm when it has ended by itself, is no failure. */
export async function removeContainer(container: Pick<ContainerClient, 'delete'>): Promise<void> {
  try {
    await container.delete({force: true})
  } catch (error) {
    if (!isGone(error)) throw error
  }
}

function isGone(error: unknown): boolean {
  const {code, details} = toErrorBody(error)
  return code === 'CONTAINER_NOT_FOUND' || (code === 'ILLEGAL_COMMAND' && details['state'] === 'deleted')
}
