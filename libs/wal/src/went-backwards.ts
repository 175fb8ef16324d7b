/** What both sides of the log say when they find it so (SPEC.md, I2). */
export const wentBackwards =
  'the log WENT BACKWARDS: what it had confirmed at these positions is gone. It is given another identity; gateways and clients resend what they have';
