"""Chapter 1 of "Generative Deep Learning", executable: read the modules in this order.

    backend         where arrays live: NumPy on the processor, CuPy on the graphics card
    checks          what is refused at the door, and in which words
    described       densities and families that say what they are
    blocks          large data, some rows at a time
    elementary      logsumexp, softmax, softplus, sigmoid, stable at the extremes
    sample_space    样本空间      the set of all values an observation x can take
    neighbours      which pairs of points are close: what makes kernel sums fast
    density         概率密度函数   p(x): boxes, normals, mixtures, histograms, kernel densities
    family          参数建模      p_θ: one vector θ for each density of a family
    likelihood      似然          L(θ|X) and its logarithm ℓ(θ|X)
    optimizer       优化          gradient descent and Adam on one vector
    mle             最大似然估计   θ̂ in closed form, by expectation maximisation, by gradient
    polygon         regions with straight edges: membership, integrals, uniform sampling
    world_map       你好，世界     p_data of the chapter: uniform over the world's land
    evaluation      模型评估      the points A, B and C as measures of a model
    network         神经网络      the multilayer perceptron and its pullback
    training        训练          steps on rows drawn at random, for models without a formula
    discriminative  判别模型      p(y|x): logistic and softmax regression, a network classifier
    conditional     条件生成模型   p(x|y), p(y), and Bayes' rule between the two sides
    painters        画家          two procedural painters, whose pictures are to be told apart
    biscuit_tins    饼干罐        f(height, width): pictures whose two latent numbers are known
    rasteriser      polygons become pictures, every pixel continuous in their corners
    silhouettes     剪影          dogs and horses, drawn from a few numbers by polygons
    faces           面孔          faces drawn from thirteen numbers, to be modelled ever better
    manifold        流形          how many dimensions the data have, and with which coordinates
    latent          潜在空间      encoder, decoder, latent space: PCA, its density, the autoencoder
    fourier         傅里叶特征     waves of the coordinates, so that networks can learn fine detail
    rational_quadratic                monotone splines with a slope and an inverse by formula
    storage         存储          trained parameters on disk, and the family they belong to
    autoregressive  自回归模型     one coordinate after the other: exact in any dimension
    normalizing_flow   归一化流   an invertible map to a simple density
    variational_autoencoder   变分自编码器   a latent variable, and a lower bound on log p(x)
    energy_based    基于能量的模型  exp(-E)/Z: Markov chains, and Z on a grid
    diffusion       扩散模型      noise is added, and taken away again
    adversarial     生成对抗网络   a generator against a discriminator: samples, no density
    taxonomy        生成模型分类   the tree of Figure 1-10, read off what the classes can do

Import a module by its name, `from gdl_numpy.probability.density import Normal`; this page
re-exports nothing.
Observations are rows, logarithms are natural, points of the map are (latitude, longitude) in
degrees.
"""
