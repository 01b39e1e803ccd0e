/** The main job on a machine with UEFI: GPT, GRUB on the ESP. */
import { tellShortStory } from './lab/short-story.ts';

tellShortStory('UEFI', { kind: 'uefi' });
