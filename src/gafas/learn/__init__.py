"""Training and export with Keras: the only room that imports Keras and TensorFlow."""
