import type { ServiceProcess } from '../harness/service-process.ts';

/** The sum of a metric of a service over its labels; 0 while it has none. */
export async function metric(service: ServiceProcess, name: string): Promise<number> {
  const { text } = await service.ops('/metrics');
  const lines = text.split('\n').filter((line) => line.startsWith(`${name} `) || line.startsWith(`${name}{`));
  return lines.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' ') + 1)), 0);
}
