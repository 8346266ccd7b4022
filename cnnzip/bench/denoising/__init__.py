"""`cnnzip bench --task denoise`: noise of known strength on clean pictures, and what each denoiser makes of it."""
