/** The main job with a tree whose initial RAM disk dracut made, on a machine whose /boot is a partition of its own. */
import { tellShortStory } from './lab/short-story.ts';

tellShortStory('a tree with dracut', { kind: 'separate-boot', initrd: 'dracut' });
