// Plants a bug for the simulator to find: `WEFT_SIM_PATCHES` bears the patches of one of bugs.ts as JSON; their texts are exchanged in the sources while they are loaded. Nothing of it is in any build.
// Comes before tsx on the command line: tsx then asks this hook for the source it compiles.
import { register } from 'node:module';

if (process.env.WEFT_SIM_PATCHES) register('./plant-hook.mjs', import.meta.url, { data: JSON.parse(process.env.WEFT_SIM_PATCHES) });
