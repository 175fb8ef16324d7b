/** A setting that is missing or wrong. The message is one line, fit to be printed as the only thing before the process stops. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
  /** The environment variable at fault. */
  readonly variable: string;

  constructor(variable: string, problem: string, expected: string) {
    super(`${variable}: ${oneLine(problem)}; expected ${oneLine(expected)}`);
    this.variable = variable;
  }
}

function oneLine(text: string): string {
  return text.replace(/\s*[\r\n]+\s*/g, ' ');
}
