/** The main job on a machine whose /boot is a partition of its own. */
import { tellShortStory } from './lab/short-story.ts';

tellShortStory('/boot on a partition of its own', { kind: 'separate-boot' });
